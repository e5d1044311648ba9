import type { Clock } from '@billing/domain';
import type { Logger, Loop, RedisClient } from '@billing/platform';
import type { Redis } from 'ioredis';
import { LRUCache } from 'lru-cache';
import { publishPending } from '../outbox.ts';
import { createCacheServers } from './cache-servers.ts';
import type { CacheServers, CacheServersOptions } from './cache-servers.ts';
import { deleteMatching, forgetUser, storeEntry } from './entry.ts';
import { invalidate, tombstoneMs } from './invalidate.ts';
import type { Invalidate } from './invalidate.ts';
import { createLookUps } from './look-ups.ts';
import type { FillTicket, LookUps } from './look-ups.ts';

/** Much shorter than a tombstone lives. */
const maxFillMs = 5_000;
/** After that nobody stores an answer that was read before. */
export const cacheFilledMs = maxFillMs + 500;
const minKeyMs = 2 * maxFillMs;
/** Users without a row: short-lived and few, so that guessed ids cannot fill Redis. */
const unknownUserTtlMs = 30_000;
const unknownUsersPerMinute = 1_000;
const maxRemembered = 50_000;

export type NewEntry = {
  projectId: string;
  userId: string;
  isKnown: boolean;
  userVersion: number;
  /** When the answer changes by itself; null: never. */
  validUntil: number | null;
  /** Finished JSON without its closing brace. */
  answer: string;
};

/** Where the entry of a user is. `server`: which one, and since when. */
export type ServedUser = {
  shard: number;
  projectKey: string;
  redis: Redis;
  server: string;
  /** Leaves it alone for a moment, where a command of the caller's own failed. */
  reportFailure: (error: unknown) => void;
};

export type EntitlementCacheOptions = {
  redis: RedisClient;
  /** In which all processes agree on the servers of the cache. */
  database: CacheServersOptions['database'];
  clock: Clock;
  logger: Logger;
  ttlSeconds: number;
  metrics?: CacheServersOptions['metrics'];
  /** What this process is; absent: a command line. */
  service?: CacheServersOptions['service'];
};

export type EntitlementCache = LookUps & {
  /**
   * Stores an answer, if the rule allows. `outdated`: something newer is known. The answer may be given before this is
   * over: it is on its way to Redis when the call returns, and until Redis has acknowledged it, this process remembers
   * its version. Never throws.
   */
  fill: (ticket: FillTicket, entry: NewEntry) => Promise<'stored' | 'outdated' | 'skipped'>;
  /** What could not be told stays pending. */
  invalidate: Invalidate;
  /** Removes what it has of an erased user, once nobody fills it any more (`cacheFilledMs`). Throws when Redis cannot be reached. */
  forget: (user: { projectId: string; userId: string; version: bigint }) => Promise<void>;
  /** The same with what lies beside the user's entry, by a pattern of `SCAN`: looks through all keys of that server. */
  forgetBeside: (user: { projectId: string; userId: string }, pattern: string) => Promise<void>;
  /** Notes what was answered past the cache, so that this process never answers with an older version. */
  rememberAnswered: (projectId: string, userId: string, userVersion: number) => void;
  /** Whether one of its servers answers. */
  isAvailable: () => boolean;
  /** The share of it that may be asked, 0 to 1. */
  enabledShare: () => number;
  /** Why it is off although its servers answer; null: it is not. */
  offReason: () => string | null;
  /** Whether Postgres is to be asked for this user only as often as it can bear while the cache is cold. */
  isWarming: (projectId: string, userId: string) => boolean;
  /** The key of what lies beside the entry of a user, on the same server. */
  keyBeside: (userId: string, key: string) => string;
  /** The server that has the entry of this user, and what lies beside it; null: it is not to be asked now. */
  served: (projectId: string, userId: string) => ServedUser | null;
  /** Follows its servers from now on: until then, and after it was stopped, the cache is not asked. */
  follow: () => Loop;
  redis: RedisClient;
};

/**
 * The cache of finished answers. Its rule: an answer is stored only if the project's generation is the one read
 * before Postgres was and nothing newer is known of the user; it is served only under the current generation, from
 * the server and epoch on which all processes agree (one restored from an older dump, or that others do not use, is not
 * trusted) and before its end.
 */
export function createEntitlementCache(options: EntitlementCacheOptions): EntitlementCache {
  const { redis, database, clock, logger, ttlSeconds } = options;
  const ttlMs = ttlSeconds * 1000;
  const unknownUsers = createBudget(clock, unknownUsersPerMinute);
  /**
   * The versions that this process answered and the cache has not acknowledged, or could not be told of. Redis may
   * still hold an older answer; whoever saw the newer one must not see that.
   */
  const answered = new LRUCache<string, number>({
    max: maxRemembered,
    ttl: ttlMs + tombstoneMs,
    ttlResolution: 0,
    perf: { now: clock },
  });
  const servers = createCacheServers({
    redis,
    database,
    logger,
    catchUp: async () => void (await publishPending({ database, cache }, { olderThanMs: 0 })),
    metrics: options.metrics,
    service: options.service,
    // Versions come again with other content after a failover that lost the last commits.
    onTimeline: () => answered.clear(),
  });
  const { places } = servers;
  const answeredVersion = (key: string): number => (answered.size === 0 ? 0 : (answered.get(key) ?? 0));

  function remember(key: string, version: number): void {
    // No version is less than 0: of a user without a row there is nothing to remember.
    if (version > 0) answered.set(key, Math.max(version, answeredVersion(key)));
  }

  async function offer(ticket: FillTicket, { projectId, userId, isKnown, userVersion, ...rest }: NewEntry) {
    const { generation, server, startedAt } = ticket;
    const now = clock();
    const bound = now + (isKnown ? ttlMs : Math.min(ttlMs, unknownUserTtlMs));
    const validUntil = Math.min(bound, rest.validUntil ?? bound);
    if (validUntil <= now || performance.now() - startedAt > maxFillMs) return 'skipped';
    const { shard, projectKey, key } = places.userPlace(projectId, userId);
    const served = servers.serving(shard);
    if (served?.generation !== server || (!isKnown && !unknownUsers.take())) return 'skipped';
    try {
      return await storeEntry(served.redis, {
        projectKey,
        key,
        entry: { generation, server, version: userVersion, validUntil, answer: rest.answer },
        // An entry that ends soon still guards, as a tombstone does, against a slow older fill: nothing is older than a user
        // who has no row.
        ttlMs: Math.max(isKnown ? minKeyMs : 1, Math.ceil(validUntil - now)),
      });
    } catch (error) {
      servers.reportFailure(served.link, error);
      return 'skipped';
    }
  }

  const cache: EntitlementCache = {
    ...createLookUps({ servers, clock, answeredVersion }),

    async fill(ticket, entry) {
      const { key } = places.userPlace(entry.projectId, entry.userId);
      remember(key, entry.userVersion);
      const outcome = await offer(ticket, entry);
      if (outcome !== 'skipped' && answeredVersion(key) === entry.userVersion) answered.delete(key);
      return outcome;
    },

    invalidate: (pending) => invalidate(servers, pending),

    ...createForgetting(servers),

    rememberAnswered: (projectId, userId, version) =>
      remember(places.userPlace(projectId, userId).key, version),
    isAvailable: servers.isAnswering,
    enabledShare: servers.enabledShare,
    offReason: servers.offReason,
    isWarming: (projectId, userId) => servers.isWarming(places.userPlace(projectId, userId).shard),
    keyBeside: places.keyBeside,
    served(projectId, userId) {
      const { shard, projectKey } = places.userPlace(projectId, userId);
      const served = servers.serving(shard);
      if (served === null) return null;
      const reportFailure = (error: unknown): void => servers.reportFailure(served.link, error);
      return { shard, projectKey, redis: served.redis, server: served.generation, reportFailure };
    },
    follow: servers.follow,
    redis,
  };
  return cache;
}

/** Of erased users. */
function createForgetting(servers: CacheServers): Pick<EntitlementCache, 'forget' | 'forgetBeside'> {
  const { places } = servers;
  return {
    async forget({ projectId, userId, version }) {
      const { shard, key } = places.userPlace(projectId, userId);
      await servers.announce();
      await forgetUser(servers.publishing(shard).redis, key, version);
    },

    async forgetBeside({ projectId, userId }, pattern) {
      const { shard } = places.userPlace(projectId, userId);
      await deleteMatching(servers.publishing(shard).redis, places.keyBeside(userId, pattern));
    },
  };
}

/** So many a minute, then none until the next. */
function createBudget(clock: Clock, perMinute: number) {
  let minute = 0;
  let used = 0;
  return {
    take(): boolean {
      const current = Math.floor(clock() / 60_000);
      if (current !== minute) {
        minute = current;
        used = 0;
      }
      used += 1;
      return used <= perMinute;
    },
  };
}
