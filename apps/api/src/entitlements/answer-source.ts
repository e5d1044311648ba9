import { ServiceError } from '@billing/domain';
import { withDeadline } from '@billing/platform';
import type { LookUp } from '@billing/store';
import type { AppDeps } from '../deps.ts';
import { readAnswers } from './read-answers.ts';
import type { FreshAnswer } from './read-answers.ts';

export type CacheOutcome = 'hit' | 'miss' | 'bypass';

/** `answer`: finished JSON without its closing brace, so that `checked_at` can be added as text. */
export type Answered = { answer: string; cache: CacheOutcome };

type SourceDeps = Pick<AppDeps, 'cache' | 'database' | 'clock' | 'config' | 'metrics'>;

/** Of the second that a check may take, what reading Postgres may use up. */
const readDeadlineMs = 600;
/** How often a read that proved to be older than something known is repeated. */
const maxReads = 3;

const unavailable = (cause?: unknown): ServiceError =>
  new ServiceError('service_unavailable', 'Try again in a moment: the entitlements cannot be read now.', {
    retryable: true,
    retryAfterSeconds: 1,
    cause,
  });

/** Runs a read of Postgres within the deadline; whatever prevents an answer is a 503, never fewer entitlements. */
export async function withinDeadline<T>(read: Promise<T>): Promise<T> {
  try {
    return await withDeadline(read, { ms: readDeadlineMs, onTimeout: () => unavailable() });
  } catch (error) {
    throw error instanceof ServiceError ? error : unavailable(error);
  }
}

export type AnswerSource = ReturnType<typeof createAnswerSource>;

/** Where answers come from: the cache, else one read of Postgres for all who wait for the same user. */
export function createAnswerSource(deps: SourceDeps) {
  const { cache, metrics } = deps;
  const flights = new Map<string, Promise<FreshAnswer>>();

  async function readOne(projectId: string, userId: string): Promise<FreshAnswer> {
    const answer = (await readAnswers(deps, projectId, [userId])).get(userId);
    if (answer === undefined) throw new Error('the project of a valid API key has no row');
    return answer;
  }

  function shareRead(projectId: string, userId: string): Promise<FreshAnswer> {
    const key = `${projectId.length}:${projectId}:${userId}`;
    const flying = flights.get(key);
    if (flying !== undefined) return flying;
    const flight = withinDeadline(readOne(projectId, userId)).finally(() => flights.delete(key));
    flights.set(key, flight);
    return flight;
  }

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
    for (let reads = 1; ; reads += 1) {
      const fresh = await shareRead(projectId, userId);
      if ((await keep(lookUp, fresh)) === 'kept' || reads === maxReads)
        return { answer: fresh.answer, cache: outcome };
    }
  }

  async function answerFor(projectId: string, userId: string): Promise<Answered> {
    const lookUp = await cache.lookUp(projectId, userId);
    if (lookUp.state === 'hit') {
      metrics.entitlementCacheHits.inc();
      return { answer: lookUp.answer, cache: 'hit' };
    }
    metrics.entitlementCacheMisses.inc();
    return answerFromPostgres(lookUp, projectId, userId);
  }

  /** Answers many users with one cache round trip and at most one statement, in the order asked. */
  async function answerForMany(projectId: string, userIds: readonly string[]): Promise<Answered[]> {
    const distinct = [...new Set(userIds)];
    const lookUps = new Map(
      await Promise.all(
        distinct.map(async (userId) => [userId, await cache.lookUp(projectId, userId)] as const),
      ),
    );
    const missing = distinct.filter((userId) => lookUps.get(userId)?.state !== 'hit');
    metrics.entitlementCacheHits.inc(distinct.length - missing.length);
    metrics.entitlementCacheMisses.inc(missing.length);
    const read =
      missing.length === 0
        ? new Map<string, FreshAnswer>()
        : await withinDeadline(readAnswers(deps, projectId, missing));
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

  return { answerFor, answerForMany };
}
