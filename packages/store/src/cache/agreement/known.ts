import { sharedShards } from './agree.ts';
import type { Agreed, Servers } from './agree.ts';
import type { Kept } from './kept-agreement.ts';
import type { Exchanged } from './server-rows.ts';

/** What a process knows of the agreement. */
export type Known = {
  servers: Servers;
  agreed: Agreed;
  /** By shard: what entries carry while the processes agree; null: they do not. */
  generations: (string | null)[];
  /** By shard, monotonic: when its server last changed, as far as this process knows. */
  changedAt: number[];
};

/** By which the entries of a shard are known. */
const generationOf = (server: string, epoch: number): string => `${server}.${epoch.toString(36)}`;

export function know(exchanged: Exchanged, before: Known | null): Known {
  const { servers, agreed, others, changedMsAgo } = exchanged;
  const shared = sharedShards(servers, others);
  const now = performance.now();
  const changedAt = servers.map((server, shard) => {
    const epoch = agreed.epochs[shard] ?? 0;
    const known = before?.agreed.epochs[shard];
    if (known === epoch) return before?.changedAt[shard] ?? -Infinity;
    if (known !== undefined) return now;
    // Only the shards of the last change are known to be young.
    const isYoung = server !== '' && changedMsAgo !== null && epoch === agreed.epoch;
    return isYoung ? now - changedMsAgo : -Infinity;
  });
  const generations = servers.map((server, shard) =>
    server !== '' && server === agreed.servers[shard] && shared[shard] === true
      ? generationOf(server, agreed.epochs[shard] ?? 0)
      : null,
  );
  return { servers, agreed, generations, changedAt };
}

/** Whether other processes use other servers. */
export const isSplit = (known: Known | null): boolean =>
  known !== null && known.servers.some((server, shard) => server !== '' && known.generations[shard] === null);

/** Whether what others use now makes no difference to what is known. */
export function isStillShared({ servers, generations }: Known, others: readonly Servers[]): boolean {
  const shared = sharedShards(servers, others);
  return servers.every((server, shard) => server === '' || (generations[shard] !== null) === shared[shard]);
}

/** What the servers have kept of themselves, in place of what Postgres cannot tell; null: nothing. */
export function knowKept(found: readonly (Kept | null)[]): { timeline: string; known: Known } | null {
  const one = found.find((shard) => shard !== null);
  if (one === undefined || one === null) return null;
  const { timeline } = one;
  const generations = found.map((shard) => (shard?.timeline === timeline ? shard.generation : null));
  const epochs = generations.map((generation) => parseInt(generation?.split('.')[1] ?? '0', 36));
  const servers = generations.map((generation) => generation?.split('.')[0] ?? '');
  const agreed = { servers, epochs, epoch: Math.max(...epochs) };
  return { timeline, known: { servers, agreed, generations, changedAt: servers.map(() => -Infinity) } };
}
