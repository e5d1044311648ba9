import type { PendingInvalidation } from '../change-user.ts';
import type { NodeLink } from '../redis/node-links.ts';
import type { CacheServers } from './cache-servers.ts';
import { invalidateProject, invalidateUsers } from './entry.ts';

export type Invalidation = Omit<PendingInvalidation, 'id'>;

/** Tells the cache of new versions. Returns those of which one server of several could not be told; throws where none could. */
export type Invalidate = <T extends Invalidation>(pending: readonly T[]) => Promise<T[]>;

/** Much longer than the slowest fill takes: a tombstone (and an entry, which is one too) outlives it. */
export const tombstoneMs = 60_000;

/** What one shard has to be told. */
type ShardNews = { users: { key: string; version: bigint }[]; projects: { key: string; version: bigint }[] };

function sortByShard(servers: CacheServers, pending: readonly Invalidation[]): Map<number, ShardNews> {
  const { places } = servers;
  const news = new Map<number, ShardNews>();
  function of(shard: number): ShardNews {
    const known = news.get(shard) ?? { users: [], projects: [] };
    news.set(shard, known);
    return known;
  }
  for (const { projectId, userId, version } of pending)
    if (userId === null)
      for (let shard = 0; shard < places.shards; shard += 1)
        of(shard).projects.push({ key: places.generationKey(projectId, shard), version });
    else {
      const { shard, key } = places.userPlace(projectId, userId);
      of(shard).users.push({ key, version });
    }
  return news;
}

async function tellShard({ redis }: NodeLink, { users, projects }: ShardNews): Promise<void> {
  await Promise.all([
    invalidateUsers(redis, users, tombstoneMs),
    ...projects.map(({ key, version }) => invalidateProject(redis, key, version)),
  ]);
}

/**
 * Tells the cache of new versions, each shard's server of its own; what this process uses is known to the other processes
 * before. Returns those that one server of several could not be told of; throws where none can be.
 */
export async function invalidate<T extends Invalidation>(
  servers: CacheServers,
  pending: readonly T[],
): Promise<T[]> {
  if (pending.length === 0) return [];
  if (!servers.isConnected()) throw new Error('the cache Redis is not connected');
  await servers.announce();
  const failures = new Map<number, unknown>();
  const told = [...sortByShard(servers, pending)].map(async ([shard, news]) => {
    let link: NodeLink | null = null;
    try {
      link = servers.publishing(shard);
      await tellShard(link, news);
      servers.reportPublished(link, null);
    } catch (error) {
      failures.set(shard, error);
      if (link !== null) servers.reportPublished(link, error);
    }
  });
  await Promise.all(told);
  const [failure] = failures.values();
  if (failures.size === told.length && servers.places.shards === 1) throw failure;
  if (failures.size === 0) return [];
  const { places } = servers;
  return pending.filter(
    ({ projectId, userId }) => userId === null || failures.has(places.userPlace(projectId, userId).shard),
  );
}
