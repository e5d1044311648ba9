import type { Clock } from '@billing/domain';
import type { Redis } from 'ioredis';
import type { createCacheLink } from './cache-link.ts';
import { parseEntry, generationKey, tombstoneVersion, userKey } from './entry.ts';
import { createMgetBatcher } from './mget-batcher.ts';
import type { createRecentVersions } from './recent-versions.ts';
import { newNonce } from './scripts.ts';

/** What a miss hands to `fill`: proof that what was read afterwards is new enough. */
export type FillTicket = { generation: string; runId: string; startedAt: number };

export type LookUp =
  | { state: 'hit'; answer: string }
  /** `leastVersion`: a user version that is known to exist; an older read is to be repeated. */
  | { state: 'miss'; ticket: FillTicket; leastVersion: number }
  /** The cache cannot be asked now. */
  | { state: 'unavailable'; leastVersion: number };

/** A look-up under way: its keys, the run of Redis that was trusted, and when it began. */
type Asked = { ofUser: string; ofProject: string; runId: string; startedAt: number };
type Found = { generation: string | null; raw: string | null };

export type LookUpDeps = {
  redis: Redis;
  clock: Clock;
  link: Pick<ReturnType<typeof createCacheLink>, 'runId' | 'reportFailure'>;
  recent: Pick<ReturnType<typeof createRecentVersions>, 'leastVersion'>;
};

/**
 * The reading side of the cache's rule: one round trip, shared by all who ask at the same time. Never throws and
 * never waits for a Redis that is known to be away.
 */
export function createLookUp({ redis, clock, link, recent }: LookUpDeps) {
  const jointGet = createMgetBatcher(redis);

  const unavailable = (ofUser: string): LookUp => ({
    state: 'unavailable',
    leastVersion: recent.leastVersion(ofUser),
  });

  /** Decides what was found means; null: the project's generation has to be made first. */
  function evaluate(found: Found, { ofUser, runId, startedAt }: Asked): LookUp | null {
    const { generation, raw } = found;
    const entry = raw === null ? null : parseEntry(raw);
    const known = entry === null ? tombstoneVersion(raw) : entry.version;
    const leastVersion = Math.max(known, recent.leastVersion(ofUser));
    if (entry !== null && entry.generation === generation && entry.runId === runId)
      if (entry.version >= leastVersion && entry.validUntil > clock())
        return { state: 'hit', answer: entry.answer };
    return generation === null
      ? null
      : { state: 'miss', ticket: { generation, runId, startedAt }, leastVersion };
  }

  function failed(error: unknown, { ofUser }: Asked): LookUp {
    link.reportFailure(error);
    return unavailable(ofUser);
  }

  /** Set before Postgres is read: a flush in between then shows as another generation. */
  async function evaluateWithNewGeneration(raw: string | null, asked: Asked): Promise<LookUp> {
    try {
      const generation = await createGeneration(redis, asked.ofProject);
      return evaluate({ generation, raw }, asked) ?? unavailable(asked.ofUser);
    } catch (error) {
      return failed(error, asked);
    }
  }

  return (projectId: string, userId: string): Promise<LookUp> => {
    const runId = link.runId();
    const ofUser = userKey(projectId, userId);
    if (runId === null) return Promise.resolve(unavailable(ofUser));
    const asked = { ofUser, ofProject: generationKey(projectId), runId, startedAt: performance.now() };
    return new Promise((resolve) => {
      jointGet([asked.ofProject, ofUser], (reply) => {
        if ('error' in reply) return resolve(failed(reply.error, asked));
        const [generation = null, raw = null] = reply.values;
        resolve(evaluate({ generation, raw }, asked) ?? evaluateWithNewGeneration(raw, asked));
      });
    });
  };
}

async function createGeneration(redis: Redis, key: string): Promise<string> {
  const fresh = `0:${newNonce()}`;
  if ((await redis.set(key, fresh, 'NX')) === 'OK') return fresh;
  return (await redis.get(key)) ?? fresh;
}
