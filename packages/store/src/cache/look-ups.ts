import type { Clock } from '@billing/domain';
import type { Redis } from 'ioredis';
import { createMgetBatcher } from '../redis/mget-batcher.ts';
import type { Mget, Values } from '../redis/mget-batcher.ts';
import type { CacheServers, ServedShard } from './cache-servers.ts';
import { createGeneration, parseEntry, tombstoneVersion } from './entry.ts';
import type { UserPlace } from './places.ts';

/**
 * What a miss hands to `fill`: proof that what was read afterwards is new enough. `generation`: of the project; `server`: where
 * its entries are, and since when.
 */
export type FillTicket = { generation: string; server: string; startedAt: number };

export type LookUp =
  | { state: 'hit'; answer: string; version: number }
  /** `leastVersion`: a user version that is known to exist; an older read is to be repeated. */
  | { state: 'miss'; ticket: FillTicket; leastVersion: number }
  /** The cache cannot be asked now. */
  | { state: 'unavailable'; leastVersion: number };

/** An entry, and what another key of the same user holds (null: nothing) under the same generation on the same server. */
export type LookUpWith = { lookUp: LookUp; other: string | null; ticket: FillTicket | null };

export type LookUps = {
  /** One round trip, shared by all who ask at the same time. Never throws, never waits for a Redis known to be away. */
  lookUp: (projectId: string, userId: string) => Promise<LookUp>;
  /** The same, with what lies beside it at another key (`keyBeside`): one round trip for both. */
  lookUpWith: (projectId: string, userId: string, otherKey: string) => Promise<LookUpWith>;
};

/** A look-up under way: where, on which server, and when it began. */
type Asked = { place: UserPlace; served: ServedShard; startedAt: number };
type Found = { generation: string | null; raw: string | null };

export type LookUpDeps = {
  servers: CacheServers;
  clock: Clock;
  /** 0: nothing is remembered, as nearly always. */
  answeredVersion: (key: string) => number;
};

/** Reads entries, many at a time; what they are worth is told by the rule of the cache. */
export function createLookUps({ servers, clock, answeredVersion }: LookUpDeps): LookUps {
  const { places } = servers;
  const batchers = new WeakMap<Redis, Mget>();

  function batcherOf(redis: Redis): Mget {
    const known = batchers.get(redis);
    if (known !== undefined) return known;
    const made = createMgetBatcher(redis);
    batchers.set(redis, made);
    return made;
  }

  const unavailable = (key: string): LookUp => ({ state: 'unavailable', leastVersion: answeredVersion(key) });

  /** What was found means; null: the project's generation has to be made first. */
  function evaluate({ generation, raw }: Found, { place, served, startedAt }: Asked): LookUp | null {
    const server = served.generation;
    const entry = raw === null ? null : parseEntry(raw);
    const known = entry === null ? tombstoneVersion(raw) : entry.version;
    const leastVersion = Math.max(known, answeredVersion(place.key));
    if (entry !== null && entry.generation === generation && entry.server === server)
      if (entry.version >= leastVersion && entry.validUntil > clock())
        return { state: 'hit', answer: entry.answer, version: entry.version };
    return generation === null
      ? null
      : { state: 'miss', ticket: { generation, server, startedAt }, leastVersion };
  }

  function failed(error: unknown, { place, served }: Asked): LookUp {
    servers.reportFailure(served.link, error);
    return unavailable(place.key);
  }

  /** Made before Postgres is read: a flush in between then shows as another generation. */
  async function evaluateWithNewGeneration(raw: string | null, asked: Asked): Promise<LookUp> {
    try {
      const generation = await createGeneration(asked.served.redis, asked.place.projectKey);
      return evaluate({ generation, raw }, asked) ?? unavailable(asked.place.key);
    } catch (error) {
      return failed(error, asked);
    }
  }

  /** Whether the server from which an answer came may still be asked: meanwhile another may have taken its place. */
  const isStill = ({ place, served }: Asked): boolean =>
    servers.serving(place.shard)?.generation === served.generation;

  return {
    lookUp(projectId, userId) {
      const place = places.userPlace(projectId, userId);
      const served = servers.serving(place.shard);
      if (served === null) return Promise.resolve(unavailable(place.key));
      const asked = { place, served, startedAt: performance.now() };
      const { projectKey, key, shard } = place;
      return new Promise((resolve) => {
        const answer = (reply: Values): void => {
          if ('error' in reply) return resolve(failed(reply.error, asked));
          if (!isStill(asked)) return resolve(unavailable(key));
          const [generation = null, raw = null] = reply.values;
          resolve(evaluate({ generation, raw }, asked) ?? evaluateWithNewGeneration(raw, asked));
        };
        batcherOf(served.redis)([projectKey, key], answer, shard);
      });
    },

    lookUpWith(projectId, userId, otherKey) {
      const place = places.userPlace(projectId, userId);
      const served = servers.serving(place.shard);
      const nothing = { other: null, ticket: null };
      if (served === null) return Promise.resolve({ lookUp: unavailable(place.key), ...nothing });
      const asked = { place, served, startedAt: performance.now() };
      const { projectKey, key, shard } = place;
      return new Promise((resolve) => {
        const answer = (reply: Values): void => {
          if ('error' in reply) return resolve({ lookUp: failed(reply.error, asked), ...nothing });
          if (!isStill(asked)) return resolve({ lookUp: unavailable(key), ...nothing });
          const [generation = null, raw = null, other = null] = reply.values;
          const lookUp = evaluate({ generation, raw }, asked);
          if (lookUp !== null && generation !== null) {
            const ticket = { generation, server: served.generation, startedAt: asked.startedAt };
            return resolve({ lookUp, other, ticket });
          }
          void evaluateWithNewGeneration(raw, asked).then((late) =>
            resolve({ lookUp: late, other: null, ticket: late.state === 'miss' ? late.ticket : null }),
          );
        };
        batcherOf(served.redis)([projectKey, key, otherKey], answer, shard);
      });
    },
  };
}
