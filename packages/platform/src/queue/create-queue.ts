import { Queue } from 'bullmq';
import type { JobSchedulerJson, JobsOptions, Telemetry } from 'bullmq';
import { withDeadline } from '../deadline.ts';
import type { Logger } from '../logging/logger.ts';
import { connectRedis } from '../redis/connect-redis.ts';
import type { RedisClient } from '../redis/connect-redis.ts';
import { createJobAdder, toBulkJob } from './add-job.ts';
import type { NewJob } from './add-job.ts';
import { readOldestWaitingMs } from './read-oldest-waiting.ts';

export type QueueOptions = {
  /** Redis of the queue; or a `connection` made with `connectRedis(… role: 'producer')`, which the caller closes. */
  readonly url?: string;
  readonly connection?: RedisClient;
  readonly name: string;
  /** BullMQ's key prefix. */
  readonly prefix: string;
  readonly logger: Logger;
  /** From `startTracing`: makes jobs carry the trace they were added in. */
  readonly telemetry?: Telemetry | undefined;
};

export type AddDeadline = { readonly deadlineMs: number };

/** In which a job is not done. */
export const jobStates = ['waiting', 'delayed', 'prioritized', 'active'] as const;
export type JobState = (typeof jobStates)[number];

/** When a schedule's jobs are due. */
type Repeat = Parameters<Queue['upsertJobScheduler']>[1];

/** The producer's side of a BullMQ queue. Its calls reject with QueueUnavailableError. */
export type JobQueue = {
  readonly name: string;
  /** For BullMQ's own screen. Its calls never end once their connection died: use those below. */
  readonly bull: Queue;
  readonly ready: () => boolean;
  /**
   * Adds a job. `duplicate`: a job of this id waits, runs or is delayed already. A finished or failed one
   * that was kept is made runnable again (`added`). A timed-out add may still arrive; its id makes that harmless.
   */
  readonly add: (job: NewJob, deadline: AddDeadline) => Promise<'added' | 'duplicate'>;
  /** Adds many jobs in one round trip, without telling duplicates apart. */
  readonly addBulk: (jobs: readonly NewJob[], deadline: AddDeadline) => Promise<void>;
  /** Jobs by state. */
  readonly counts: () => Promise<Record<string, number>>;
  /** Age in milliseconds of the oldest job that is due and not done, retries included; null if there is none. */
  readonly oldestWaitingMs: () => Promise<number | null>;
  /** Jobs of a state, newest first: one that is added or done meanwhile hides none. */
  readonly list: (
    state: JobState,
    range: { from: number; to: number },
  ) => Promise<{ id: string; data: unknown }[]>;
  /** Removes a job, unless it is being processed. */
  readonly remove: (id: string) => Promise<void>;
  /** How long the next job has waited, in milliseconds; null: no job waits, or the queue is paused. */
  readonly headWaitingMs: () => Promise<number | null>;
  /** BullMQ's job scheduler of that id, if there is one. */
  readonly getSchedule: (id: string) => Promise<JobSchedulerJson | undefined>;
  /** Creates or replaces the job scheduler of that id; it adds jobs of that name, without data. */
  readonly setSchedule: (id: string, repeat: Repeat) => Promise<void>;
  /** Ends the connection, unless the caller provided it. */
  readonly close: () => Promise<void>;
};

/** The queue's Redis can't take a job now. Nothing is known to be stored: the sender should try again. */
export class QueueUnavailableError extends Error {
  readonly code = 'queue_unavailable';
  readonly retryable = true;
  override readonly name = 'QueueUnavailableError';
}

// Nothing finished is kept: a kept job would swallow a resend under its id.
const defaultJobOptions: JobsOptions = { removeOnComplete: true, removeOnFail: true };
const states = ['waiting', 'active', 'delayed', 'prioritized', 'failed', 'completed'] as const;
const readDeadlineMs = 2_000;

/**
 * Opens a queue. It fails at once with QueueUnavailableError while Redis is out of reach and recovers without help,
 * also when Redis was absent at start (where BullMQ's own `add` never ends).
 */
export function createQueue({ url, connection, name, prefix, logger, telemetry }: QueueOptions): JobQueue {
  const redis = connection ?? connectRedis({ url: required(url), role: 'producer', logger });
  const bull = new Queue(name, {
    connection: redis,
    prefix,
    defaultJobOptions,
    skipMetasUpdate: true,
    ...(telemetry === undefined ? {} : { telemetry }),
  });
  // The connection logs its errors; BullMQ repeats them, and an 'error' without a listener would end the process.
  bull.on('error', () => undefined);
  const addJob = createJobAdder(bull, redis);

  /** Runs work on Redis if it is there, within the deadline; every failure of the connection reads the same. */
  async function attempt<T>(work: () => Promise<T>, ms = readDeadlineMs): Promise<T> {
    if (redis.status !== 'ready') throw new QueueUnavailableError('Redis of the queue is not connected.');
    try {
      return await withDeadline(work(), {
        ms,
        onTimeout: () => new QueueUnavailableError(`Redis of the queue did not answer within ${ms} ms.`),
      });
    } catch (error) {
      if (error instanceof QueueUnavailableError) throw error;
      throw new QueueUnavailableError('Redis of the queue refused the command.', { cause: error });
    }
  }

  return {
    name,
    bull,
    ready: () => redis.status === 'ready',
    add: (job, { deadlineMs }) => attempt(() => addJob(job), deadlineMs),
    addBulk: async (jobs, { deadlineMs }) =>
      void (await attempt(() => bull.addBulk(jobs.map(toBulkJob)), deadlineMs)),
    counts: () => attempt(() => bull.getJobCounts(...states)),
    list: async (state, { from, to }) => {
      const jobs = await attempt(() => bull.getJobs([state], from, to, false));
      return jobs.flatMap(({ id, data }) => (id === undefined ? [] : [{ id, data }]));
    },
    remove: async (id) => void (await attempt(() => bull.remove(id))),
    oldestWaitingMs: () => attempt(() => readOldestWaitingMs(bull, redis)),
    headWaitingMs: () => attempt(() => readHeadWaitingMs(bull)),
    getSchedule: (id) => attempt(() => bull.getJobScheduler(id)),
    setSchedule: async (id, repeat) =>
      void (await attempt(() => bull.upsertJobScheduler(id, repeat, { name: id, data: {} }))),
    close: async () => {
      if (connection === undefined) redis.disconnect();
      await withDeadline(bull.close(), { ms: 1_000, onTimeout: () => new Error('closing timed out') }).catch(
        () => undefined,
      );
    },
  };
}

function required(url: string | undefined): string {
  if (url === undefined) throw new TypeError('createQueue needs a url or a connection.');
  return url;
}

async function readHeadWaitingMs(bull: Queue): Promise<number | null> {
  const [[head], isPaused] = await Promise.all([bull.getWaiting(0, 0), bull.isPaused()]);
  return head === undefined || isPaused ? null : Date.now() - head.timestamp;
}
