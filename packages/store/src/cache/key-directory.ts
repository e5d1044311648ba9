import { hash } from 'node:crypto';
import { isWellFormedApiKey, ServiceError } from '@billing/domain';
import type { Clock } from '@billing/domain';
import { withDeadline } from '@billing/platform';
import type { Logger } from '@billing/platform';
import type { Redis } from 'ioredis';
import type { Database } from '../create-database.ts';
import { findApiKey, touchApiKey } from '../keys/find-api-key.ts';
import type { ApiKeyRecord } from '../keys/find-api-key.ts';
import { createKeyCopies } from './key-copies.ts';
import { createKeyRecords } from './key-records.ts';

/** A revocation is in force everywhere within a second: no record older than this is trusted. */
const maxAgeMs = 500;
/** From this age on a used record is read again in the background, so that busy keys never wait. */
const refreshAgeMs = 200;
/** How long a record may be used while Postgres cannot be asked. */
const outageMs = 5 * 60_000;
const lookUpDeadlineMs = 300;
/** After a failure Postgres is left alone this long, if something else can answer. */
const pauseMs = 500;

export type KeyDirectoryOptions = {
  database: Pick<Database, '$queryRaw' | '$executeRaw'>;
  /** Holds copies for the time in which Postgres is away. */
  redis: Redis;
  clock: Clock;
  logger: Logger;
};

export type KeyDirectory = ReturnType<typeof createKeyDirectory>;

/** API key → project, from memory where that is fresh enough, else from Postgres: one query for any number of waiting requests. */
export function createKeyDirectory({ database, redis, clock, logger }: KeyDirectoryOptions) {
  const flights = new Map<string, Promise<ApiKeyRecord | null>>();
  const copies = createKeyCopies(redis);
  const known = createKeyRecords({
    onMinute: (digest, record) => {
      void copies.write(digest, record);
      touchApiKey(database, record.keyId, clock()).catch(() => undefined);
    },
  });
  let pausedUntil = 0;

  async function readFresh(digest: string): Promise<ApiKeyRecord | null> {
    const readAt = performance.now();
    const record = await withDeadline(findApiKey(database, Buffer.from(digest, 'hex')), {
      ms: lookUpDeadlineMs,
      onTimeout: () => new Error('Postgres did not find the API key in time'),
    });
    if (record === null) known.forget(digest);
    else known.remember(digest, record, readAt);
    return record;
  }

  /** While Postgres is away, or too slow: what was known a while ago, here or in Redis, unless Redis knows better. */
  async function findDuringOutage(digest: string, cause: unknown): Promise<ApiKeyRecord | null> {
    const copy = await copies.read(digest);
    if (copy === 'revoked') return null;
    const old = known.get(digest);
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

  function fly(digest: string): Promise<ApiKeyRecord | null> {
    const flying = flights.get(digest);
    if (flying !== undefined) return flying;
    const flight = findOnce(digest).finally(() => flights.delete(digest));
    flights.set(digest, flight);
    return flight;
  }

  return {
    /** The record if it is at hand and fresh: no promise, no query. Undefined: ask `find`. */
    peek(token: string): ApiKeyRecord | undefined {
      const digest = hash('sha256', token);
      const entry = known.get(digest);
      if (entry === undefined) return undefined;
      const ageMs = performance.now() - entry.readAt;
      if (ageMs > maxAgeMs) return undefined;
      if (ageMs > refreshAgeMs && !flights.has(digest)) fly(digest).catch(() => undefined);
      return entry.record;
    },
    /** Whether this process has met the key: it was right then, and may be revoked by now. */
    isKnown: (token: string): boolean => known.has(hash('sha256', token)),
    /** Null: no such key. Throws `service_unavailable` when nobody can tell. */
    async find(token: string): Promise<ApiKeyRecord | null> {
      return isWellFormedApiKey(token) ? fly(hash('sha256', token)) : null;
    },
    /**
     * After a revocation: forgets the key here, and leaves word for processes that cannot ask Postgres; the others
     * follow within `maxAgeMs`.
     */
    async forget(digest: Uint8Array): Promise<void> {
      const hex = Buffer.from(digest).toString('hex');
      known.forget(hex);
      await copies.revoke(hex);
    },
  };
}
