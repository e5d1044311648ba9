import type { Clock } from '@billing/domain';
import type { Metrics } from '@billing/platform';
import type { Database, EntitlementCache, LookUp } from '@billing/store';
import type { ApiConfig } from '../config.ts';
import type { Admission } from './admit-misses.ts';
import { createFreshReads } from './fresh-reads.ts';
import type { FreshAnswer } from './fresh-reads.ts';

export type CacheOutcome = 'hit' | 'miss' | 'bypass';

/** `answer`: finished JSON without its closing brace, so that `checked_at` can be added as text. */
export type Answered = { answer: string; cache: CacheOutcome };

type NotFound = Exclude<LookUp, { state: 'hit' }>;

/** Where answers come from that the cache does not have. */
export type AnswerSource = {
  /**
   * Reads Postgres once for all who wait for the same user. The answer is there before the cache has acknowledged that
   * it got it.
   */
  afterMiss: (lookUp: NotFound, projectId: string, userId: string) => Promise<Answered>;
  /** Answers many users with one cache round trip and at most one statement, in the order asked. */
  forMany: (projectId: string, userIds: readonly string[]) => Promise<Answered[]>;
  /** One user fresh from Postgres, past the cache. */
  readFresh: (projectId: string, userId: string) => Promise<FreshAnswer>;
};

export type AnswerSourceDeps = {
  cache: EntitlementCache;
  database: Database;
  clock: Clock;
  config: Pick<ApiConfig, 'pastDueGraceDays' | 'renewalAllowanceMs' | 'databasePoolSize'>;
  admission: Admission;
  metrics: Pick<Metrics, 'entitlementCacheHits' | 'entitlementCacheMisses'>;
};

/** How often a read that proved to be older than something known is repeated. */
const maxReads = 3;

const isOutdated = ({ leastVersion }: NotFound, { userVersion }: FreshAnswer): boolean =>
  userVersion < leastVersion;

const outcomeOf = (lookUp: NotFound): CacheOutcome => (lookUp.state === 'miss' ? 'miss' : 'bypass');

export function createAnswerSource(deps: AnswerSourceDeps): AnswerSource {
  const { cache, metrics, clock } = deps;
  const reads = createFreshReads(deps);

  /** Offers a fresh answer to the cache as the look-up allows, unless the answer is older than what was known then. */
  async function keep(lookUp: NotFound, fresh: FreshAnswer): Promise<void> {
    if (isOutdated(lookUp, fresh)) return;
    if (lookUp.state === 'miss') await cache.fill(lookUp.ticket, fresh);
    else cache.rememberAnswered(fresh.projectId, fresh.userId, fresh.userVersion);
  }

  async function afterMiss(lookUp: NotFound, projectId: string, userId: string): Promise<Answered> {
    for (let count = 1; ; count += 1) {
      const read = reads.shared(projectId, userId, (fresh) => keep(lookUp, fresh));
      const fresh = await read.fresh;
      // Of a read that was joined: its answer may have ended meanwhile.
      const hasEnded = fresh.validUntil !== null && fresh.validUntil <= clock();
      if ((hasEnded || isOutdated(lookUp, fresh)) && count < maxReads) {
        await read.over;
        continue;
      }
      // Also where another's read was joined, whose look-up may have found the cache in place.
      if (lookUp.state === 'unavailable') cache.rememberAnswered(projectId, userId, fresh.userVersion);
      return { answer: fresh.answer, cache: outcomeOf(lookUp) };
    }
  }

  async function forMany(projectId: string, userIds: readonly string[]): Promise<Answered[]> {
    const lookUps = await Promise.all(
      [...new Set(userIds)].map(async (userId) => ({
        userId,
        lookUp: await cache.lookUp(projectId, userId),
      })),
    );
    const missing = lookUps.flatMap(({ userId, lookUp }) => (lookUp.state === 'hit' ? [] : [userId]));
    metrics.entitlementCacheHits.inc(lookUps.length - missing.length);
    metrics.entitlementCacheMisses.inc(missing.length);
    const read = missing.length === 0 ? new Map<string, FreshAnswer>() : await reads.many(projectId, missing);
    const answers = new Map(
      await Promise.all(
        lookUps.map(async ({ userId, lookUp }) => {
          if (lookUp.state === 'hit') return [userId, { answer: lookUp.answer, cache: 'hit' }] as const;
          const fresh = read.get(userId);
          if (fresh === undefined || isOutdated(lookUp, fresh))
            return [userId, await afterMiss(lookUp, projectId, userId)] as const;
          void keep(lookUp, fresh);
          return [userId, { answer: fresh.answer, cache: outcomeOf(lookUp) }] as const;
        }),
      ),
    );
    return userIds.flatMap((userId) => answers.get(userId) ?? []);
  }

  return { afterMiss, forMany, readFresh: reads.own };
}
