import { ServiceError } from '@billing/domain';
import { createCircuit, withDeadline } from '@billing/platform';
import { readAnswers } from './read-answers.ts';
import type { FreshAnswer, ReadDeps } from './read-answers.ts';

/** Of the second that a check may take, what reading Postgres may use up. */
const readDeadlineMs = 600;
/** A check ends within a second whatever it waited for before: the key, the cache. */
const checkDeadlineMs = 900;
const keyLookUpMs = 300;

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

/** Work that is part of a check; too late, it is a 503. */
export function beforeItEnds<T>(work: Promise<T>, endsAt: number): Promise<T> {
  return withDeadline(work, {
    ms: Math.max(0, endsAt - performance.now()),
    onTimeout: () => unavailable(),
  });
}

/** Offers an answer to the cache; `outdated`: it is older than what is known already. */
export type Keep = (fresh: FreshAnswer) => Promise<'kept' | 'outdated'>;

export type Kept = { fresh: FreshAnswer; isOutdated: boolean };

/** Reads of Postgres, past the cache. */
export function createFreshReads(deps: ReadDeps) {
  const flights = new Map<string, Promise<Kept>>();
  const fromPostgres = createPostgresReader();

  async function readOne(projectId: string, userId: string): Promise<FreshAnswer> {
    const answer = (await readAnswers(deps, projectId, [userId])).get(userId);
    if (answer === undefined) throw new Error('the project of a valid API key has no row');
    return answer;
  }

  return {
    /** One user, by a read of this caller's own. */
    own: (projectId: string, userId: string): Promise<FreshAnswer> =>
      fromPostgres(() => readOne(projectId, userId)),
    /**
     * One user, by one read for all who wait for the same. It is under way until `keep` of whoever came first is
     * done: who finds nothing in the cache meanwhile comes too early for the answer to be there.
     */
    shared(projectId: string, userId: string, keep: Keep): Promise<Kept> {
      const key = `${projectId.length}:${projectId}:${userId}`;
      const flying = flights.get(key);
      if (flying !== undefined) return flying;
      const flight = fromPostgres(() => readOne(projectId, userId))
        .then(async (fresh) => ({ fresh, isOutdated: (await keep(fresh)) === 'outdated' }))
        .finally(() => flights.delete(key));
      flights.set(key, flight);
      return flight;
    },
    /** Many users by one statement. */
    many: (projectId: string, userIds: readonly string[]): Promise<Map<string, FreshAnswer>> =>
      fromPostgres(() => readAnswers(deps, projectId, userIds)),
  };
}
