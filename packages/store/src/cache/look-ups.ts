import type { Clock } from '@billing/domain';
import type { Redis } from 'ioredis';
import { createMgetBatcher } from '../redis/mget-batcher.ts';
import type { RedisLink } from '../redis/redis-link.ts';
import { createGeneration, generationKey, parseEntry, tombstoneVersion, userKey } from './entry.ts';

/** What a miss hands to `fill`: proof that what was read afterwards is new enough. */
export type FillTicket = { generation: string; runId: string; startedAt: number };

export type LookUp =
  | { state: 'hit'; answer: string; version: number }
  /** `leastVersion`: a user version that is known to exist; an older read is to be repeated. */
  | { state: 'miss'; ticket: FillTicket; leastVersion: number }
  /** The cache cannot be asked now. */
  | { state: 'unavailable'; leastVersion: number };

/** An entry, and what another key of the same user holds (null: nothing) under the same generation and run of Redis. */
export type LookUpWith = { lookUp: LookUp; other: string | null; ticket: FillTicket | null };

export type LookUps = {
  /** One round trip, shared by all who ask at the same time. Never throws, never waits for a Redis known to be away. */
  lookUp: (projectId: string, userId: string) => Promise<LookUp>;
  /** The same, with what lies beside it at another key: one round trip for both. */
  lookUpWith: (projectId: string, userId: string, otherKey: string) => Promise<LookUpWith>;
};

/** A look-up under way: its keys, the run of Redis that was trusted, and when it began. */
type Asked = { key: string; projectKey: string; runId: string; startedAt: number };
const askedOf = (projectId: string, userId: string, runId: string): Asked => ({
  key: userKey(projectId, userId),
  projectKey: generationKey(projectId),
  runId,
  startedAt: performance.now(),
});

type Found = { generation: string | null; raw: string | null };

type LookUpDeps = {
  redis: Redis;
  clock: Clock;
  link: RedisLink;
  /** 0: nothing is remembered, as nearly always. */
  answeredVersion: (key: string) => number;
};

/** Reads entries, many at a time; what they are worth is told by the rule of the cache. */
export function createLookUps({ redis, clock, link, answeredVersion }: LookUpDeps): LookUps {
  const mget = createMgetBatcher(redis);

  const unavailable = (key: string): LookUp => ({ state: 'unavailable', leastVersion: answeredVersion(key) });

  /** What was found means; null: the project's generation has to be made first. */
  function evaluate({ generation, raw }: Found, { key, runId, startedAt }: Asked): LookUp | null {
    const entry = raw === null ? null : parseEntry(raw);
    const known = entry === null ? tombstoneVersion(raw) : entry.version;
    const leastVersion = Math.max(known, answeredVersion(key));
    if (entry !== null && entry.generation === generation && entry.runId === runId)
      if (entry.version >= leastVersion && entry.validUntil > clock())
        return { state: 'hit', answer: entry.answer, version: entry.version };
    return generation === null
      ? null
      : { state: 'miss', ticket: { generation, runId, startedAt }, leastVersion };
  }

  function failed(error: unknown, { key }: Asked): LookUp {
    link.reportFailure(error);
    return unavailable(key);
  }

  /** Made before Postgres is read: a flush in between then shows as another generation. */
  async function evaluateWithNewGeneration(raw: string | null, asked: Asked): Promise<LookUp> {
    try {
      const generation = await createGeneration(redis, asked.projectKey);
      return evaluate({ generation, raw }, asked) ?? unavailable(asked.key);
    } catch (error) {
      return failed(error, asked);
    }
  }

  return {
    lookUp(projectId, userId) {
      const runId = link.runId();
      if (runId === null) return Promise.resolve(unavailable(userKey(projectId, userId)));
      const asked = askedOf(projectId, userId, runId);
      return new Promise((resolve) => {
        mget([asked.projectKey, asked.key], (reply) => {
          if ('error' in reply) return resolve(failed(reply.error, asked));
          const [generation = null, raw = null] = reply.values;
          resolve(evaluate({ generation, raw }, asked) ?? evaluateWithNewGeneration(raw, asked));
        });
      });
    },

    lookUpWith(projectId, userId, otherKey) {
      const runId = link.runId();
      const nothing = { other: null, ticket: null };
      if (runId === null)
        return Promise.resolve({ lookUp: unavailable(userKey(projectId, userId)), ...nothing });
      const asked = askedOf(projectId, userId, runId);
      return new Promise((resolve) => {
        mget([asked.projectKey, asked.key, otherKey], (reply) => {
          if ('error' in reply) return resolve({ lookUp: failed(reply.error, asked), ...nothing });
          const [generation = null, raw = null, other = null] = reply.values;
          const lookUp = evaluate({ generation, raw }, asked);
          if (lookUp !== null && generation !== null)
            return resolve({ lookUp, other, ticket: { generation, runId, startedAt: asked.startedAt } });
          void evaluateWithNewGeneration(raw, asked).then((late) =>
            resolve({ lookUp: late, other: null, ticket: late.state === 'miss' ? late.ticket : null }),
          );
        });
      });
    },
  };
}
