import { hash } from 'node:crypto';
import { isWellFormedApiKey, ServiceError } from '@billing/domain';
import type { Clock } from '@billing/domain';
import { withDeadline } from '@billing/platform';
import type { Logger } from '@billing/platform';
import type { Redis } from 'ioredis';
import { LRUCache } from 'lru-cache';
import { z } from 'zod';
import type { Database } from '../create-database.ts';
import { findApiKey, touchApiKey } from '../keys/find-api-key.ts';
import type { ApiKeyRecord } from '../keys/find-api-key.ts';

/** A revocation is in force everywhere within a second: no record older than this is trusted. */
const maxAgeMs = 500;
/** From this age on a used record is read again in the background, so that busy keys never wait. */
const refreshAgeMs = 200;
/** How long a record may be used while Postgres cannot be asked, and how long its copy is kept in Redis. */
const outageMs = 5 * 60_000;
const lookUpDeadlineMs = 300;
/** After a failure Postgres is left alone this long, if something else can answer. */
const pauseMs = 500;
/** How often a used key's copy and time of use are written. */
const reportEveryMs = 60_000;
const maxRecords = 10_000;

export type KeyDirectoryOptions = {
  database: Pick<Database, '$queryRaw' | '$executeRaw'>;
  /** Holds copies for the time in which Postgres is away. */
  redis: Redis;
  clock: Clock;
  logger: Logger;
};

export type KeyDirectory = {
  /** The record if it is at hand and fresh: no promise, no query. Undefined: ask `find`. */
  peek: (token: string) => ApiKeyRecord | undefined;
  /** Whether this process has met the key: it was right then, and may be revoked by now. */
  isKnown: (token: string) => boolean;
  /** Null: no such key. Throws `service_unavailable` when neither Postgres nor a copy can tell. */
  find: (token: string) => Promise<ApiKeyRecord | null>;
  /**
   * After a revocation: forgets the key here, and marks it as revoked for processes that cannot ask Postgres; the
   * others follow within `maxAgeMs`.
   */
  forget: (digest: Uint8Array) => Promise<void>;
};

/** `readAt`: monotonic milliseconds, taken before Postgres was asked. */
type KnownKey = { record: ApiKeyRecord; readAt: number; reportedAt: number };

/** API key → project, from memory where that is fresh enough, else from Postgres: one query for any number of waiting requests. */
export function createKeyDirectory({ database, redis, clock, logger }: KeyDirectoryOptions): KeyDirectory {
  const inFlight = new Map<string, Promise<ApiKeyRecord | null>>();
  const copies = createKeyCopies(redis);
  const known = new LRUCache<string, KnownKey>({ max: maxRecords });
  let pausedUntil = 0;

  function remember(digest: string, record: ApiKeyRecord, readAt: number): void {
    const before = known.peek(digest);
    const isDue = before === undefined || readAt - before.reportedAt > reportEveryMs;
    known.set(digest, { record, readAt, reportedAt: isDue ? readAt : before.reportedAt });
    if (!isDue) return;
    void copies.write(digest, record);
    touchApiKey(database, record.keyId, clock()).catch(() => undefined);
  }

  async function readFresh(digest: string): Promise<ApiKeyRecord | null> {
    const readAt = performance.now();
    const record = await withDeadline(findApiKey(database, Buffer.from(digest, 'hex')), {
      ms: lookUpDeadlineMs,
      onTimeout: () => new Error('Postgres did not find the API key in time'),
    });
    if (record === null) known.delete(digest);
    else remember(digest, record, readAt);
    return record;
  }

  /** While Postgres is away, or too slow: what was known a while ago, here or in Redis, unless Redis knows better. */
  async function findDuringOutage(digest: string, cause: unknown): Promise<ApiKeyRecord | null> {
    const copy = await copies.read(digest);
    if (copy === 'revoked') return null;
    const old = known.peek(digest);
    if (old !== undefined && performance.now() - old.readAt < outageMs) return old.record;
    if (copy !== null) return copy;
    throw new ServiceError('service_unavailable', 'Try again in a moment: the API key cannot be checked.', {
      retryable: true,
      cause,
    });
  }

  async function findOnce(digest: string): Promise<ApiKeyRecord | null> {
    if (performance.now() < pausedUntil && known.has(digest)) return findDuringOutage(digest, undefined);
    try {
      return await readFresh(digest);
    } catch (error) {
      pausedUntil = performance.now() + pauseMs;
      logger.warn('api_key_look_up_failed', { error });
      return findDuringOutage(digest, error);
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
      // Not `get`, which reorders: a record that is used is renewed, and with that moves to the front, soon enough.
      const entry = known.peek(digest);
      if (entry === undefined) return undefined;
      const ageMs = performance.now() - entry.readAt;
      if (ageMs > maxAgeMs) return undefined;
      if (ageMs > refreshAgeMs && !inFlight.has(digest)) findShared(digest).catch(() => undefined);
      return entry.record;
    },
    isKnown: (token) => known.has(hash('sha256', token)),
    find: async (token) => (isWellFormedApiKey(token) ? findShared(hash('sha256', token)) : null),
    async forget(digest) {
      const hex = Buffer.from(digest).toString('hex');
      known.delete(hex);
      await copies.revoke(hex);
    },
  };
}

const recordCopy = z.object({
  keyId: z.string(),
  projectId: z.string(),
  scopes: z.array(z.string()),
  expiresAt: z.number().nullable(),
  isProjectActive: z.boolean(),
});

const copyOf = (digest: string): string => `ent:k:${digest}`;
/** A key of its own, so that a copy that is written late cannot undo the revocation. */
const revocationOf = (digest: string): string => `ent:r:${digest}`;

/** Copies of API key records in the cache's Redis, read only while Postgres cannot be asked. Nothing here throws. */
function createKeyCopies(redis: Redis) {
  return {
    /** Null: there is no copy, or it cannot be had. */
    async read(digest: string): Promise<ApiKeyRecord | 'revoked' | null> {
      if (redis.status !== 'ready') return null;
      try {
        const [revoked, stored] = await redis.mget(revocationOf(digest), copyOf(digest));
        if (typeof revoked === 'string') return 'revoked';
        return typeof stored === 'string' ? recordCopy.parse(JSON.parse(stored)) : null;
      } catch {
        return null;
      }
    },
    async write(digest: string, record: ApiKeyRecord): Promise<void> {
      if (redis.status !== 'ready') return;
      await redis.set(copyOf(digest), JSON.stringify(record), 'PX', outageMs).catch(() => null);
    },
    /** For processes that cannot ask Postgres: holds for longer than any of them trusts what it knows. */
    async revoke(digest: string): Promise<void> {
      if (redis.status !== 'ready') return;
      const marked = redis.set(revocationOf(digest), '1', 'PX', 2 * outageMs);
      await Promise.allSettled([marked, redis.del(copyOf(digest))]);
    },
  };
}
