import { ServiceError } from '@billing/domain';
import { createCircuit, withDeadline } from '@billing/platform';
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
/** A check ends within a second whatever it waited for before: the key, the cache. */
const checkDeadlineMs = 900;
const keyLookUpMs = 300;
/** How often a read that proved to be older than something known is repeated. */
const maxReads = 3;

const unavailable = (cause?: unknown): ServiceError =>
  new ServiceError('service_unavailable', 'Try again in a moment: the entitlements cannot be read now.', {
    retryable: true,
    retryAfterSeconds: 1,
    cause,
  });

/**
 * When the answer to a check has to be there, on the clock of `performance.now()`. `isKeyKnown`: the time for
 * finding the API key is spent already.
 */
export const checkEndsAt = ({ isKeyKnown }: { isKeyKnown: boolean }): number =>
  performance.now() + checkDeadlineMs - (isKeyKnown ? keyLookUpMs : 0);

/**
 * Runs a read of Postgres within the deadline; whatever prevents an answer is a 503, never fewer entitlements.
 * While Postgres keeps failing, most reads are refused at once.
 */
function createPostgresReader() {
  const circuit = createCircuit({ failuresToOpen: 5, probeEveryMs: 250, forgetAfterMs: 1_500 });
  return async <T>(read: () => Promise<T>): Promise<T> => {
    if (!circuit.admits()) throw unavailable();
    try {
      const result = await withDeadline(read(), { ms: readDeadlineMs, onTimeout: () => unavailable() });
      circuit.succeeded();
      return result;
    } catch (error) {
      circuit.failed();
      throw error instanceof ServiceError ? error : unavailable(error);
    }
  };
}

function beforeItEnds<T>(work: Promise<T>, endsAt: number): Promise<T> {
  return withDeadline(work, {
    ms: Math.max(0, endsAt - performance.now()),
    onTimeout: () => unavailable(),
  });
}

export type AnswerSource = ReturnType<typeof createAnswerSource>;

/** Where answers come from: the cache, else one read of Postgres for all who wait for the same user. */
export function createAnswerSource(deps: SourceDeps) {
  const { cache, metrics } = deps;
  const flights = new Map<string, Promise<FreshAnswer>>();
  const fromPostgres = createPostgresReader();

  async function readOne(projectId: string, userId: string): Promise<FreshAnswer> {
    const answer = (await readAnswers(deps, projectId, [userId])).get(userId);
    if (answer === undefined) throw new Error('the project of a valid API key has no row');
    return answer;
  }

  function shareRead(projectId: string, userId: string): Promise<FreshAnswer> {
    const key = `${projectId.length}:${projectId}:${userId}`;
    const flying = flights.get(key);
    if (flying !== undefined) return flying;
    const flight = fromPostgres(() => readOne(projectId, userId)).finally(() => flights.delete(key));
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

  async function answerFor(projectId: string, userId: string, endsAt: number): Promise<Answered> {
    const lookUp = await cache.lookUp(projectId, userId);
    if (lookUp.state === 'hit') {
      metrics.entitlementCacheHits.inc();
      return { answer: lookUp.answer, cache: 'hit' };
    }
    metrics.entitlementCacheMisses.inc();
    return beforeItEnds(answerFromPostgres(lookUp, projectId, userId), endsAt);
  }

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
    const read =
      missing.length === 0
        ? new Map<string, FreshAnswer>()
        : await fromPostgres(() => readAnswers(deps, projectId, missing));
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
    beforeItEnds(
      fromPostgres(() => readOne(projectId, userId)),
      endsAt,
    );

  return { answerFor, answerForMany, readFresh };
}
