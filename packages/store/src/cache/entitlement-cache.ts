import { randomBytes } from 'node:crypto';
import type { Clock } from '@billing/domain';
import type { Logger } from '@billing/platform';
import type { Redis } from 'ioredis';
import type { OwedInvalidation } from '../change-user.ts';
import { formatEntry, knownVersion, parseEntry, stampKey, userKey } from './entry.ts';
import { createRecentVersions } from './recent-versions.ts';
import { createCacheLink } from './cache-link.ts';
import { fillScript, invalidateProjectScript, invalidateUserScript, runScript } from './scripts.ts';

/** Much longer than `maxFillMs`: a tombstone (and an entry, which is one too) outlives the slowest fill. */
const tombstoneMs = 60_000;
const maxFillMs = 10_000;
const minKeyMs = 2 * maxFillMs;
/** Users without a row: short-lived and few, so that guessed ids cannot fill Redis. */
const unknownUserTtlMs = 30_000;
const unknownUsersPerMinute = 1_000;

/** What a miss hands to `fill`: proof that what was read afterwards is new enough. */
export type FillTicket = { stamp: string; runId: string; startedAt: number };

export type LookUp =
  | { state: 'hit'; answer: string }
  /** `leastVersion`: a user version that is known to exist; an older read is to be repeated. */
  | { state: 'miss'; ticket: FillTicket; leastVersion: number }
  /** The cache cannot be asked now. */
  | { state: 'unavailable'; leastVersion: number };

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

const nonce = (): string => randomBytes(6).toString('base64url');

/**
 * The cache of finished answers. Its rule: an answer is stored only if the project's stamp is the one read
 * before Postgres was and nothing newer is known of the user; it is served only under the current stamp, from
 * the same run of the Redis server (one restored from an older dump is not trusted) and before its end.
 */
export function createEntitlementCache(options: EntitlementCacheOptions) {
  const { redis, clock, ttlSeconds } = options;
  const link = createCacheLink(options);
  const recent = createRecentVersions({ clock, ttlMs: ttlSeconds * 1000 + tombstoneMs, max: 50_000 });
  const unknownUsers = createBudget(clock, unknownUsersPerMinute);

  async function lookUpNow(projectId: string, userId: string, runId: string): Promise<LookUp> {
    const startedAt = performance.now();
    const ofUser = userKey(projectId, userId);
    const ofProject = stampKey(projectId);
    const [stamp = null, raw = null] = await redis.mget(ofProject, ofUser);
    const entry = raw === null ? null : parseEntry(raw);
    const leastVersion = Math.max(knownVersion(raw), recent.leastVersion(ofUser));
    if (entry !== null && entry.stamp === stamp && entry.runId === runId)
      if (entry.version >= leastVersion && entry.validUntil > clock())
        return { state: 'hit', answer: entry.answer };
    // Set before Postgres is read: a flush in between then shows as another stamp.
    const current = stamp ?? (await createStamp(redis, ofProject));
    return { state: 'miss', ticket: { stamp: current, runId, startedAt }, leastVersion };
  }

  return {
    /** One round trip; never throws, never waits for a Redis that is known to be away. */
    async lookUp(projectId: string, userId: string): Promise<LookUp> {
      const runId = link.runId();
      if (runId !== null)
        try {
          return await lookUpNow(projectId, userId, runId);
        } catch (error) {
          link.reportFailure(error);
        }
      return { state: 'unavailable', leastVersion: recent.leastVersion(userKey(projectId, userId)) };
    },

    /** Stores an answer, if the rule allows. `outdated`: something newer is known, read again. Never throws. */
    async fill(ticket: FillTicket, entry: NewEntry): Promise<'stored' | 'outdated' | 'skipped'> {
      const now = clock();
      const bound = now + (entry.isKnown ? ttlSeconds * 1000 : Math.min(ttlSeconds * 1000, unknownUserTtlMs));
      const validUntil = Math.min(bound, entry.validUntil ?? bound);
      if (validUntil <= now || performance.now() - ticket.startedAt > maxFillMs) return 'skipped';
      if (link.runId() !== ticket.runId || (!entry.isKnown && !unknownUsers.take())) return 'skipped';
      const { projectId, userId, userVersion, answer } = entry;
      const { stamp, runId } = ticket;
      const value = formatEntry({ stamp, runId, version: userVersion, validUntil, answer });
      // An entry that ends soon still guards, as a tombstone does, against a slow older fill.
      const keyMs = Math.max(minKeyMs, Math.ceil(validUntil - now));
      try {
        const keys = [stampKey(projectId), userKey(projectId, userId)];
        const stored = await runScript(redis, fillScript, keys, [stamp, userVersion, value, keyMs]);
        if (stored === -1) return 'outdated';
        return stored === 1 ? 'stored' : 'skipped';
      } catch (error) {
        link.reportFailure(error);
        return 'skipped';
      }
    },

    /** Tells the cache of new versions. Throws when Redis cannot be reached: they are still owed then. */
    async invalidate(owed: readonly Omit<OwedInvalidation, 'id'>[]): Promise<void> {
      if (owed.length > 0 && redis.status !== 'ready') throw new Error('the cache Redis is not connected');
      await Promise.all(
        owed.map(({ projectId, userId, version }) =>
          userId === null
            ? runScript(redis, invalidateProjectScript, [stampKey(projectId)], [version.toString(), nonce()])
            : runScript(
                redis,
                invalidateUserScript,
                [userKey(projectId, userId)],
                [version.toString(), tombstoneMs],
              ),
        ),
      );
    },

    /** Notes what was answered past the cache, so that this process never goes back behind it. */
    rememberAnswered: (projectId: string, userId: string, userVersion: number): void =>
      recent.remember(userKey(projectId, userId), userVersion),

    isAvailable: (): boolean => link.runId() !== null,
    redis,
  };
}

async function createStamp(redis: Redis, key: string): Promise<string> {
  const fresh = `0:${nonce()}`;
  if ((await redis.set(key, fresh, 'NX')) === 'OK') return fresh;
  return (await redis.get(key)) ?? fresh;
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
