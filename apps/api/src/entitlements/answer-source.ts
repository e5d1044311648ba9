import type { Clock } from '@billing/domain';
import type { Metrics } from '@billing/platform';
import type { Database, EntitlementCache, LookUp } from '@billing/store';
import type { ApiConfig } from '../config.ts';
import { createFreshReads } from './fresh-reads.ts';
import type { FreshAnswer } from './fresh-reads.ts';

export type CacheOutcome = 'hit' | 'miss' | 'bypass';

/** `answer`: finished JSON without its closing brace, so that `checked_at` can be added as text. */
export type Answered = { answer: string; cache: CacheOutcome };

type NotFound = Exclude<LookUp, { state: 'hit' }>;

/** Where answers come from that the cache does not have. */
export type AnswerSource = {
  /** Reads Postgres once for all who wait for the same user, and fills the cache as the look-up allows. */
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
  config: Pick<ApiConfig, 'pastDueGraceDays' | 'renewalAllowanceMs'>;
  metrics: Pick<Metrics, 'entitlementCacheHits' | 'entitlementCacheMisses'>;
};

/** How often a read that proved to be older than something known is repeated. */
const maxReads = 3;

const outcomeOf = (lookUp: NotFound): CacheOutcome => (lookUp.state === 'miss' ? 'miss' : 'bypass');

export function createAnswerSource(deps: AnswerSourceDeps): AnswerSource {
  const { cache, metrics } = deps;
  const reads = createFreshReads(deps);

  /** Stores a fresh answer as the look-up allows; `outdated`: it is older than what is known already. */
  async function keep(lookUp: NotFound, fresh: FreshAnswer): Promise<'kept' | 'outdated'> {
    if (fresh.userVersion < lookUp.leastVersion) return 'outdated';
    if (lookUp.state === 'miss')
      return (await cache.fill(lookUp.ticket, fresh)) === 'outdated' ? 'outdated' : 'kept';
    cache.rememberAnswered(fresh.projectId, fresh.userId, fresh.userVersion);
    return 'kept';
  }

  async function afterMiss(lookUp: NotFound, projectId: string, userId: string): Promise<Answered> {
    for (let count = 1; ; count += 1) {
      const { fresh, isOutdated } = await reads.shared(projectId, userId, (read) => keep(lookUp, read));
      const isRight = !isOutdated && fresh.userVersion >= lookUp.leastVersion;
      if (!isRight && count < maxReads) continue;
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
          const isKept = fresh !== undefined && (await keep(lookUp, fresh)) === 'kept';
          if (!isKept) return [userId, await afterMiss(lookUp, projectId, userId)] as const;
          return [userId, { answer: fresh.answer, cache: outcomeOf(lookUp) }] as const;
        }),
      ),
    );
    return userIds.flatMap((userId) => answers.get(userId) ?? []);
  }

  return { afterMiss, forMany, readFresh: reads.own };
}
