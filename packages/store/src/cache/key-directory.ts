import { hash } from 'node:crypto';
import { isWellFormedApiKey, ServiceError } from '@billing/domain';
import type { Clock, Instant } from '@billing/domain';
import { startLoop, withDeadline } from '@billing/platform';
import type { Logger, Loop, RedisClient } from '@billing/platform';
import type { Database } from '../create-database.ts';
import { findApiKey } from '../keys/find-api-key.ts';
import type { ApiKeyRecord } from '../keys/find-api-key.ts';
import { createKeyCopies, outageMs } from './key-copies.ts';
import type { KeyCopies } from './key-copies.ts';
import { followKeys } from './follow-keys.ts';
import type { KnownKey } from './follow-keys.ts';

/** What is changed is in force everywhere within a second: nothing that was read longer ago is trusted. */
const maxAgeMs = 700;
const followEveryMs = 200;
const lookUpDeadlineMs = 300;
/** After a failure Postgres is left alone this long, if something else can answer. */
const pauseMs = 500;
/** How often a used key's copy and time of use are written. */
const reportEveryMs = 60_000;

export type KeyDirectoryOptions = {
  database: Pick<Database, '$queryRaw' | '$executeRaw'>;
  /** Holds copies for the time in which Postgres is away. */
  redis: RedisClient;
  clock: Clock;
  logger: Logger;
};

export type KeyDirectory = {
  /** The record if it is at hand and fresh: no promise, no query. Undefined: ask `find`. */
  peek: (token: string) => ApiKeyRecord | undefined;
  /** Whether this process holds the key. Before all keys were read once nobody can tell: true. */
  isKnown: (token: string) => boolean;
  /** Null: no such key. Throws `service_unavailable` when neither Postgres nor a copy can tell. */
  find: (token: string) => Promise<ApiKeyRecord | null>;
  /** After a key was given an end: processes that cannot ask Postgres learn it too. Absent: it ends now. */
  forget: (digest: Uint8Array, endsAt?: Instant) => Promise<void>;
  /** After a project was switched on or off: the same. */
  switchProject: (projectId: string, isActive: boolean) => Promise<void>;
  /** Holds all live keys from now on, and follows what changes. */
  follow: () => Loop;
  /** Resolves once all live keys were read. */
  loaded: Promise<unknown>;
};

type Followed = ReturnType<typeof followKeys>;

const ageOf = (followed: Followed, entry: KnownKey, now: number): number =>
  now - Math.max(followed.readAt(), entry.readAt);

/** The record of a key that is used. At most once a minute and key its use is noted; times of use are written together. */
function createUse(copies: KeyCopies, followed: Followed) {
  return (digest: string, entry: KnownKey, now = performance.now()): ApiKeyRecord => {
    if (now - entry.reportedAt > reportEveryMs) {
      entry.reportedAt = now;
      void copies.write(digest, entry.record);
      followed.noteUse(entry.record.keyId);
    }
    return entry.record;
  };
}

/** While Postgres is away, or too slow: what was known a while ago, here or in Redis, unless Redis knows better. */
async function findDuringOutage(
  { followed, copies, clock }: { followed: Followed; copies: KeyCopies; clock: Clock },
  digest: string,
  cause: unknown,
): Promise<ApiKeyRecord | null> {
  const entry = followed.known.get(digest);
  const isUsable = entry !== undefined && ageOf(followed, entry, performance.now()) < outageMs;
  const found = await copies.read(digest, { old: isUsable ? entry.record : null, now: clock() });
  if (found === 'revoked') return null;
  if (found !== null) return found;
  throw new ServiceError('service_unavailable', 'Try again in a moment: the API key cannot be checked.', {
    retryable: true,
    cause,
  });
}

/**
 * API key → project, from memory: every process holds the digests of all live keys and reads what changed of them by
 * one statement a few times a second, whatever their number. Only a key that is missing here is looked up.
 */
export function createKeyDirectory(options: KeyDirectoryOptions): KeyDirectory {
  const { database, redis, clock, logger } = options;
  const inFlight = new Map<string, Promise<ApiKeyRecord | null>>();
  const copies = createKeyCopies(redis);
  const followed = followKeys({ database, clock });
  const { known } = followed;
  let pausedUntil = 0;

  const use = createUse(copies, followed);
  const parts = { followed, copies, clock };
  async function lookUp(digest: string): Promise<ApiKeyRecord | null> {
    const readAt = performance.now();
    const turn = followed.turns();
    const record = await findApiKey(database, Buffer.from(digest, 'hex'));
    if (record === null) {
      known.delete(digest);
      return null;
    }
    const entry = { record, readAt, reportedAt: known.get(digest)?.reportedAt ?? -Infinity };
    // What was followed meanwhile may be newer, such as the key's end: then this answer counts only once.
    if (turn === followed.turns()) known.set(digest, entry);
    return use(digest, entry);
  }

  /** What changed since is read once for all who wait; then every key that is held is as fresh. */
  async function catchUp(digest: string): Promise<ApiKeyRecord | null> {
    await followed.catchUp();
    const entry = known.get(digest);
    return entry === undefined ? null : use(digest, entry);
  }

  async function findOnce(digest: string): Promise<ApiKeyRecord | null> {
    const isHeld = known.has(digest);
    if (performance.now() < pausedUntil && isHeld) return findDuringOutage(parts, digest, undefined);
    try {
      const found = isHeld && followed.isLoaded() ? catchUp(digest) : lookUp(digest);
      return await withDeadline(found, {
        ms: lookUpDeadlineMs,
        onTimeout: () => new Error('Postgres did not find the API key in time'),
      });
    } catch (error) {
      pausedUntil = performance.now() + pauseMs;
      logger.warn('api_key_look_up_failed', { error });
      return findDuringOutage(parts, digest, error);
    }
  }

  function findShared(digest: string): Promise<ApiKeyRecord | null> {
    const underWay = inFlight.get(digest);
    if (underWay !== undefined) return underWay;
    const found = findOnce(digest).finally(() => inFlight.delete(digest));
    inFlight.set(digest, found);
    return found;
  }

  return {
    peek(token) {
      const digest = hash('sha256', token);
      const entry = known.get(digest);
      if (entry === undefined) return undefined;
      const now = performance.now();
      return ageOf(followed, entry, now) > maxAgeMs ? undefined : use(digest, entry, now);
    },
    isKnown: (token) => !followed.isLoaded() || known.has(hash('sha256', token)),
    find: async (token) => (isWellFormedApiKey(token) ? findShared(hash('sha256', token)) : null),
    async forget(digest, endsAt) {
      const now = clock();
      const hex = Buffer.from(digest).toString('hex');
      if (endsAt === undefined || endsAt <= now) known.delete(hex);
      await copies.end(hex, { at: endsAt ?? now, now });
    },
    async switchProject(projectId, isActive) {
      for (const entry of known.values())
        if (entry.record.projectId === projectId)
          entry.record = { ...entry.record, isProjectActive: isActive };
      await copies.switchProject(projectId, isActive);
    },
    follow: () =>
      startLoop({ name: 'follow_api_keys', logger, intervalMs: followEveryMs }, () => followed.step()),
    loaded: followed.loaded,
  };
}
