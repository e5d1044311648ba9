import type { Clock } from '@billing/domain';
import type { Logger } from '@billing/platform';
import type { Redis } from 'ioredis';
import { LRUCache } from 'lru-cache';
import type { PendingInvalidation } from '../change-user.ts';
import { createRedisLink } from '../redis/redis-link.ts';
import {
  forgetUser,
  generationKey,
  invalidateProject,
  invalidateUsers,
  storeEntry,
  userKey,
} from './entry.ts';
import { createLookUps } from './look-ups.ts';
import type { FillTicket, LookUps } from './look-ups.ts';

/** Much longer than `maxFillMs`: a tombstone (and an entry, which is one too) outlives the slowest fill. */
const tombstoneMs = 60_000;
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

export type EntitlementCacheOptions = {
  redis: Redis;
  clock: Clock;
  logger: Logger;
  ttlSeconds: number;
  /**
   * Runs after each (re)connection, before answers of the cache are trusted: publishes the invalidations that Redis
   * missed while it was away. If it fails, the background job publishes them.
   */
  catchUp?: () => Promise<void>;
};

export type EntitlementCache = LookUps & {
  /**
   * Stores an answer, if the rule allows. `outdated`: something newer is known. The answer may be given before this is
   * over: it is on its way to Redis when the call returns, and until Redis has acknowledged it, this process remembers
   * its version. Never throws.
   */
  fill: (ticket: FillTicket, entry: NewEntry) => Promise<'stored' | 'outdated' | 'skipped'>;
  /** Tells the cache of new versions. Throws when Redis cannot be reached: they stay pending. */
  invalidate: (pending: readonly Omit<PendingInvalidation, 'id'>[]) => Promise<void>;
  /** Removes what it has of an erased user, once nobody fills it any more (`cacheFilledMs`). Throws when Redis cannot be reached. */
  forget: (user: { projectId: string; userId: string; version: bigint }) => Promise<void>;
  /** Notes what was answered past the cache, so that this process never answers with an older version. */
  rememberAnswered: (projectId: string, userId: string, userVersion: number) => void;
  isAvailable: () => boolean;
  /** Which run of Redis answers; null: do not ask it now. */
  runId: () => string | null;
  /** Leaves Redis alone for a moment, where a command of the caller's own failed. */
  reportFailure: (error: unknown) => void;
  redis: Redis;
};

/**
 * The cache of finished answers. Its rule: an answer is stored only if the project's generation is the one read
 * before Postgres was and nothing newer is known of the user; it is served only under the current generation, from
 * the same run of the Redis server (one restored from an older dump is not trusted) and before its end.
 */
export function createEntitlementCache(options: EntitlementCacheOptions): EntitlementCache {
  const { redis, clock, ttlSeconds } = options;
  const ttlMs = ttlSeconds * 1000;
  const link = createRedisLink(options);
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
  const answeredVersion = (key: string): number => (answered.size === 0 ? 0 : (answered.get(key) ?? 0));

  function remember(key: string, version: number): void {
    // No version is less than 0: of a user without a row there is nothing to remember.
    if (version > 0) answered.set(key, Math.max(version, answeredVersion(key)));
  }

  async function offer(ticket: FillTicket, { projectId, userId, isKnown, userVersion, ...rest }: NewEntry) {
    const { generation, runId, startedAt } = ticket;
    const now = clock();
    const bound = now + (isKnown ? ttlMs : Math.min(ttlMs, unknownUserTtlMs));
    const validUntil = Math.min(bound, rest.validUntil ?? bound);
    if (validUntil <= now || performance.now() - startedAt > maxFillMs) return 'skipped';
    if (link.runId() !== runId || (!isKnown && !unknownUsers.take())) return 'skipped';
    try {
      return await storeEntry(redis, {
        projectKey: generationKey(projectId),
        key: userKey(projectId, userId),
        entry: { generation, runId, version: userVersion, validUntil, answer: rest.answer },
        // An entry that ends soon still guards, as a tombstone does, against a slow older fill: nothing is older than a user
        // who has no row.
        ttlMs: Math.max(isKnown ? minKeyMs : 1, Math.ceil(validUntil - now)),
      });
    } catch (error) {
      link.reportFailure(error);
      return 'skipped';
    }
  }

  return {
    ...createLookUps({ redis, clock, link, answeredVersion }),

    async fill(ticket, entry) {
      const key = userKey(entry.projectId, entry.userId);
      remember(key, entry.userVersion);
      const outcome = await offer(ticket, entry);
      if (outcome !== 'skipped' && answeredVersion(key) === entry.userVersion) answered.delete(key);
      return outcome;
    },

    async invalidate(pending) {
      if (pending.length > 0 && redis.status !== 'ready') throw new Error('the cache Redis is not connected');
      const users = pending.flatMap(({ projectId, userId, version }) =>
        userId === null ? [] : [{ key: userKey(projectId, userId), version }],
      );
      const projects = pending.filter(({ userId }) => userId === null);
      await Promise.all([
        invalidateUsers(redis, users, tombstoneMs),
        ...projects.map(({ projectId, version }) =>
          invalidateProject(redis, generationKey(projectId), version),
        ),
      ]);
    },

    async forget({ projectId, userId, version }) {
      if (redis.status !== 'ready') throw new Error('the cache Redis is not connected');
      await forgetUser(redis, userKey(projectId, userId), version);
    },

    rememberAnswered: (projectId, userId, version) => remember(userKey(projectId, userId), version),
    isAvailable: () => link.runId() !== null,
    runId: link.runId,
    reportFailure: link.reportFailure,
    redis,
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
