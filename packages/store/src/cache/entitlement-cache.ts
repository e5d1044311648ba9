import type { Clock } from '@billing/domain';
import type { Logger } from '@billing/platform';
import type { Redis } from 'ioredis';
import type { PendingInvalidation } from '../change-user.ts';
import { formatEntry, generationKey, userKey } from './entry.ts';
import { createLookUp } from './look-up.ts';
import type { FillTicket } from './look-up.ts';
import { createRecentVersions } from './recent-versions.ts';
import { createCacheLink } from './cache-link.ts';
import {
  fillScript,
  invalidateProjectScript,
  invalidateUsersScript,
  newNonce,
  runScript,
} from './scripts.ts';

/** Much longer than `maxFillMs`: a tombstone (and an entry, which is one too) outlives the slowest fill. */
const tombstoneMs = 60_000;
const maxFillMs = 10_000;
const minKeyMs = 2 * maxFillMs;
/** Users without a row: short-lived and few, so that guessed ids cannot fill Redis. */
const unknownUserTtlMs = 30_000;
const unknownUsersPerMinute = 1_000;
/** A script holds up all who read: about a tenth of a millisecond for so many. */
const usersPerScript = 64;

export type { FillTicket, LookUp } from './look-up.ts';

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
   * Runs after each (re)connection, before answers of the cache are trusted: settles the invalidations
   * that Redis missed while it was away. Its failure leaves them to the drainer.
   */
  catchUp?: () => Promise<void>;
};

export type EntitlementCache = ReturnType<typeof createEntitlementCache>;

/**
 * The cache of finished answers. Its rule: an answer is stored only if the project's generation is the one read
 * before Postgres was and nothing newer is known of the user; it is served only under the current generation, from
 * the same run of the Redis server (one restored from an older dump is not trusted) and before its end.
 */
export function createEntitlementCache(options: EntitlementCacheOptions) {
  const { redis, clock, ttlSeconds } = options;
  const link = createCacheLink(options);
  const recent = createRecentVersions({ clock, ttlMs: ttlSeconds * 1000 + tombstoneMs, max: 50_000 });
  const unknownUsers = createBudget(clock, unknownUsersPerMinute);

  return {
    lookUp: createLookUp({ redis, clock, link, recent }),

    /** Stores an answer, if the rule allows. `outdated`: something newer is known, read again. Never throws. */
    async fill(ticket: FillTicket, entry: NewEntry): Promise<'stored' | 'outdated' | 'skipped'> {
      const now = clock();
      const bound = now + (entry.isKnown ? ttlSeconds * 1000 : Math.min(ttlSeconds * 1000, unknownUserTtlMs));
      const validUntil = Math.min(bound, entry.validUntil ?? bound);
      if (validUntil <= now || performance.now() - ticket.startedAt > maxFillMs) return 'skipped';
      if (link.runId() !== ticket.runId || (!entry.isKnown && !unknownUsers.take())) return 'skipped';
      const { projectId, userId, userVersion, answer } = entry;
      const { generation, runId } = ticket;
      const value = formatEntry({ generation, runId, version: userVersion, validUntil, answer });
      // An entry that ends soon still guards, as a tombstone does, against a slow older fill.
      const keyMs = Math.max(minKeyMs, Math.ceil(validUntil - now));
      try {
        const keys = [generationKey(projectId), userKey(projectId, userId)];
        const stored = await runScript(redis, fillScript, keys, [generation, userVersion, value, keyMs]);
        if (stored === -1) return 'outdated';
        return stored === 1 ? 'stored' : 'skipped';
      } catch (error) {
        link.reportFailure(error);
        return 'skipped';
      }
    },

    /** Tells the cache of new versions. Throws when Redis cannot be reached: they are still pending then. */
    async invalidate(pending: readonly Omit<PendingInvalidation, 'id'>[]): Promise<void> {
      if (pending.length > 0 && redis.status !== 'ready') throw new Error('the cache Redis is not connected');
      const users = pending.flatMap(({ userId, ...one }) => (userId === null ? [] : [{ userId, ...one }]));
      const projects = pending.filter(({ userId }) => userId === null);
      await Promise.all([
        ...inSlices(users, usersPerScript).map((some) =>
          runScript(
            redis,
            invalidateUsersScript,
            some.map(({ projectId, userId }) => userKey(projectId, userId)),
            [tombstoneMs, ...some.map(({ version }) => version.toString())],
          ),
        ),
        ...projects.map(({ projectId, version }) =>
          runScript(
            redis,
            invalidateProjectScript,
            [generationKey(projectId)],
            [version.toString(), newNonce()],
          ),
        ),
      ]);
    },

    /** Notes what was answered past the cache, so that this process never goes back behind it. */
    rememberAnswered: (projectId: string, userId: string, userVersion: number): void =>
      recent.remember(userKey(projectId, userId), userVersion),

    isAvailable: (): boolean => link.runId() !== null,
    redis,
  };
}

function inSlices<T>(values: readonly T[], size: number): T[][] {
  const slices: T[][] = [];
  for (let from = 0; from < values.length; from += size) slices.push(values.slice(from, from + size));
  return slices;
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
