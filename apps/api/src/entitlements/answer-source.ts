import type { LookUp } from '@billing/store';
import type { AppDeps } from '../deps.ts';
import { beforeItEnds, createFreshReads } from './fresh-reads.ts';
import type { FreshAnswer } from './read-answers.ts';

export type CacheOutcome = 'hit' | 'miss' | 'bypass';

/** `answer`: finished JSON without its closing brace, so that `checked_at` can be added as text. */
export type Answered = { answer: string; cache: CacheOutcome };

type SourceDeps = Pick<AppDeps, 'cache' | 'database' | 'clock' | 'config' | 'metrics'>;

/** How often a read that proved to be older than something known is repeated. */
const maxReads = 3;

export type AnswerSource = ReturnType<typeof createAnswerSource>;

/** Where answers come from: the cache, else one read of Postgres for all who wait for the same user. */
export function createAnswerSource(deps: SourceDeps) {
  const { cache, metrics } = deps;
  const reads = createFreshReads(deps);

  /** Stores a fresh answer as the look-up allows; `outdated`: it is older than what is known already. */
  async function keep(
    lookUp: Exclude<LookUp, { state: 'hit' }>,
    fresh: FreshAnswer,
  ): Promise<'kept' | 'outdated'> {
    if (fresh.userVersion < lookUp.leastVersion) return 'outdated';
    if (lookUp.state === 'miss')
      return (await cache.fill(lookUp.ticket, fresh)) === 'outdated' ? 'outdated' : 'kept';
    cache.rememberAnswered(fresh.projectId, fresh.userId, fresh.userVersion);
    return 'kept';
  }

  async function answerFromPostgres(
    lookUp: Exclude<LookUp, { state: 'hit' }>,
    projectId: string,
    userId: string,
  ): Promise<Answered> {
    const outcome = lookUp.state === 'miss' ? 'miss' : 'bypass';
    for (let count = 1; ; count += 1) {
      const { fresh, isOutdated } = await reads.shared(projectId, userId, (read) => keep(lookUp, read));
      const isRight = !isOutdated && fresh.userVersion >= lookUp.leastVersion;
      if (!isRight && count < maxReads) continue;
      // Also where another's read was joined, whose look-up may have found the cache in place.
      if (lookUp.state === 'unavailable') cache.rememberAnswered(projectId, userId, fresh.userVersion);
      return { answer: fresh.answer, cache: outcome };
    }
  }

  /** Promises are what a hit costs most: the fewer, the better. */
  const answerFor = (projectId: string, userId: string, endsAt: number): Promise<Answered> =>
    cache.lookUp(projectId, userId).then((lookUp) => {
      if (lookUp.state === 'hit') {
        metrics.entitlementCacheHits.inc();
        return { answer: lookUp.answer, cache: 'hit' };
      }
      metrics.entitlementCacheMisses.inc();
      return beforeItEnds(answerFromPostgres(lookUp, projectId, userId), endsAt);
    });

  async function answerAll(projectId: string, userIds: readonly string[]): Promise<Answered[]> {
    const distinct = [...new Set(userIds)];
    const lookUps = new Map(
      await Promise.all(
        distinct.map(async (userId) => [userId, await cache.lookUp(projectId, userId)] as const),
      ),
    );
    const missing = distinct.filter((userId) => lookUps.get(userId)?.state !== 'hit');
    metrics.entitlementCacheHits.inc(distinct.length - missing.length);
    metrics.entitlementCacheMisses.inc(missing.length);
    const read = missing.length === 0 ? new Map<string, FreshAnswer>() : await reads.many(projectId, missing);
    const answers = new Map(
      await Promise.all(
        [...lookUps].map(async ([userId, lookUp]) => {
          if (lookUp.state === 'hit') return [userId, { answer: lookUp.answer, cache: 'hit' }] as const;
          const fresh = read.get(userId);
          const isKept = fresh !== undefined && (await keep(lookUp, fresh)) === 'kept';
          if (!isKept) return [userId, await answerFromPostgres(lookUp, projectId, userId)] as const;
          const outcome: CacheOutcome = lookUp.state === 'miss' ? 'miss' : 'bypass';
          return [userId, { answer: fresh.answer, cache: outcome }] as const;
        }),
      ),
    );
    return userIds.flatMap((userId) => answers.get(userId) ?? []);
  }

  /** Answers many users with one cache round trip and at most one statement, in the order asked. */
  const answerForMany = (
    projectId: string,
    userIds: readonly string[],
    endsAt: number,
  ): Promise<Answered[]> => beforeItEnds(answerAll(projectId, userIds), endsAt);

  /** One user fresh from Postgres, past the cache. */
  const readFresh = (projectId: string, userId: string, endsAt: number): Promise<FreshAnswer> =>
    beforeItEnds(reads.own(projectId, userId), endsAt);

  return { answerFor, answerForMany, readFresh };
}
