import { explainUsage, ServiceError, toExplanationOut } from '@billing/domain';
import type { Clock, ExplanationOut, Instant } from '@billing/domain';
import { createCircuit, withDeadline } from '@billing/platform';
import type { Circuit } from '@billing/platform';
import { deriveAnswer, isDatabaseUnreachable, readSources } from '@billing/store';
import { LRUCache } from 'lru-cache';
import type { Database, NewEntry, UserSources } from '@billing/store';
import type { ApiConfig } from '../config.ts';
import type { Admission, AskedUsers } from './admit-misses.ts';
import { createReadShares } from './share-reads.ts';

export type ReadDeps = {
  database: Pick<Database, '$queryJson'>;
  clock: Clock;
  config: Pick<ApiConfig, 'pastDueGraceDays' | 'renewalAllowanceMs' | 'databasePoolSize'>;
  admission: Admission;
};

/** An answer fresh from Postgres, in the form in which it is cached. */
export type FreshAnswer = NewEntry & { explanation: ExplanationOut[] };

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

/** When the answer to a check has to be there, on the clock of `performance.now()`. */
export const checkEndsAt = (): number => performance.now() + checkDeadlineMs;

/** The same for a batch, which has spent the time for finding the API key. */
export const batchEndsAt = (): number => checkEndsAt() - keyLookUpMs;

/** Work that is part of a check; too late, it is a 503. */
export function withinDeadline<T>(work: Promise<T>, endsAt: number): Promise<T> {
  return withDeadline(work, {
    ms: Math.max(0, endsAt - performance.now()),
    onTimeout: () => unavailable(),
  });
}

export type RunRead = <T>(asked: AskedUsers, read: () => Promise<T>) => Promise<T>;

const circuitOptions = { failuresToOpen: 5, probeEveryMs: 250, forgetAfterMs: 1_500 };
/** Projects whose reads fail lately; with more, the one that is longest not used is forgotten. */
const maxCircuits = 10_000;

/**
 * Runs a read of Postgres within the deadline; whatever prevents an answer is a 503, never fewer entitlements.
 * While Postgres cannot be reached, most reads are refused at once. Other failures, such as reads that take too long,
 * may be one project's own: they stop only the reads of that project, which never hold all connections. While the cache
 * is cold, statements are admitted at a rate.
 */
export function createReadRunner({ config, admission }: Pick<ReadDeps, 'config' | 'admission'>): RunRead {
  const { databasePoolSize } = config;
  const share = createReadShares(databasePoolSize);
  const ofPostgres = createCircuit(circuitOptions);
  const ofProjects = new LRUCache<string, Circuit>({ max: maxCircuits });
  return async <T>(asked: AskedUsers, read: () => Promise<T>): Promise<T> => {
    const { projectId } = asked;
    const own = ofProjects.get(projectId);
    if (own?.admits() === false || !ofPostgres.admits()) throw unavailable();
    const endsAt = performance.now() + readDeadlineMs;
    await admission.admit(asked, endsAt);
    // Whose turn comes too late reads nothing: nobody waits for it.
    const inTime = (): Promise<T> => (performance.now() < endsAt ? read() : Promise.reject(unavailable()));
    try {
      const result = await withinDeadline(share(projectId, inTime), endsAt);
      ofPostgres.succeeded();
      ofProjects.delete(projectId);
      return result;
    } catch (error) {
      if (isDatabaseUnreachable(error)) ofPostgres.failed();
      else failOf(ofProjects, projectId);
      throw error instanceof ServiceError ? error : unavailable(error);
    }
  };
}

function failOf(circuits: LRUCache<string, Circuit>, projectId: string): void {
  const circuit = circuits.get(projectId) ?? createCircuit(circuitOptions);
  circuits.set(projectId, circuit);
  circuit.failed();
}

export function toFreshAnswer(
  { config }: ReadDeps,
  read: UserSources,
  { projectId, asOf }: { projectId: string; asOf: Instant },
): FreshAnswer {
  const { answer, validUntil, derived, context } = deriveAnswer(read, config, { projectId, asOf });
  const { duplicates } = read;
  return {
    projectId,
    userId: read.userId,
    isKnown: read.isKnown,
    userVersion: read.userVersion,
    validUntil,
    answer: JSON.stringify(answer).slice(0, -1),
    explanation: derived.evaluations.map((one) =>
      toExplanationOut(one, { usage: explainUsage(one, context), duplicates }),
    ),
  };
}

/** Reads and derives the answers of 1 to 100 users of one project: one statement. */
async function readAnswers(
  deps: ReadDeps,
  {
    projectId,
    userIds,
    isExplained,
  }: { projectId: string; userIds: readonly string[]; isExplained: boolean },
): Promise<Map<string, FreshAnswer>> {
  const read = await readSources(deps.database, projectId, userIds, { isExplained });
  const asOf = deps.clock();
  return new Map(
    [...read].map(([userId, sources]) => [userId, toFreshAnswer(deps, sources, { projectId, asOf })]),
  );
}

/** Offers an answer to the cache; resolves once the cache has answered, and never rejects. */
export type Keep = (fresh: FreshAnswer) => Promise<void>;

/** A read that others may join. */
export type SharedRead = {
  fresh: Promise<FreshAnswer>;
  /** Resolves once nobody can join it any more, whether or not it succeeded. */
  over: Promise<void>;
};

/** Reads of Postgres, past the cache. */
export type FreshReads = {
  /** One user, by a read of this caller's own, with all that an explanation shows. */
  own: (projectId: string, userId: string) => Promise<FreshAnswer>;
  /**
   * One user, by one read for all who wait for the same. It can be joined until `keep` of the first caller is done:
   * who finds nothing in the cache meanwhile comes too early for the answer to be there.
   */
  shared: (projectId: string, userId: string, keep: Keep) => SharedRead;
  /** Many users by one statement. */
  many: (projectId: string, userIds: readonly string[]) => Promise<Map<string, FreshAnswer>>;
};

export function createFreshReads(deps: ReadDeps): FreshReads {
  const inFlight = new Map<string, SharedRead>();
  const run = createReadRunner(deps);

  async function readOne(projectId: string, userId: string, isExplained: boolean): Promise<FreshAnswer> {
    const answer = (await readAnswers(deps, { projectId, userIds: [userId], isExplained })).get(userId);
    if (answer === undefined) throw new Error('the project of a valid API key has no row');
    return answer;
  }

  return {
    own: (projectId, userId) => run({ projectId, userIds: [userId] }, () => readOne(projectId, userId, true)),
    shared(projectId, userId, keep) {
      const key = `${projectId.length}:${projectId}:${userId}`;
      const joined = inFlight.get(key);
      if (joined !== undefined) return joined;
      const fresh = run({ projectId, userIds: [userId] }, () => readOne(projectId, userId, false));
      const ended = (): void => void inFlight.delete(key);
      const read = { fresh, over: fresh.then(keep).then(ended, ended) };
      inFlight.set(key, read);
      return read;
    },
    many: (projectId, userIds) =>
      run({ projectId, userIds }, () => readAnswers(deps, { projectId, userIds, isExplained: false })),
  };
}
