import { Queue } from 'bullmq';
import type { BulkJobOptions, JobSchedulerJson, JobsOptions, Telemetry } from 'bullmq';
import type { Redis } from 'ioredis';
import { withDeadline } from '../deadline.ts';
import type { Logger } from '../logging/logger.ts';
import { connectRedis } from '../redis/connect-redis.ts';
import { createExistsBatcher } from './exists-batcher.ts';
import { readOldestWaitingMs } from './oldest-waiting.ts';
import { QueueUnavailableError } from './queue-unavailable.ts';

export interface QueueOptions {
  /** Redis of the queue; or an own `connection`, made with `connectRedis(… role: 'producer')`, which the caller closes. */
  readonly url?: string;
  readonly connection?: Redis;
  readonly name: string;
  /** BullMQ's key prefix. */
  readonly prefix: string;
  readonly logger: Logger;
  /** Of `startTracing`: makes jobs carry the trace they were added in. */
  readonly telemetry?: Telemetry | undefined;
}

export interface NewJob {
  readonly name: string;
  readonly data: unknown;
  /** Makes adding idempotent while the job is kept: not all digits, no colon. */
  readonly jobId?: string;
  readonly opts?: Omit<BulkJobOptions, 'jobId'>;
}

export interface AddDeadline {
  readonly deadlineMs: number;
}

/** When a schedule's jobs are due. */
type Repeat = Parameters<Queue['upsertJobScheduler']>[1];

export type JobQueue = ReturnType<typeof createQueue>;

// Nothing finished is kept: a kept job would swallow a resend under its id. The ledger is the record.
const DEFAULT_JOB_OPTIONS: JobsOptions = { removeOnComplete: true, removeOnFail: true };
const STATES = ['waiting', 'active', 'delayed', 'prioritized', 'failed', 'completed'] as const;
const READ_DEADLINE_MS = 2_000;

/**
 * The producer's side of a BullMQ queue. Fails at once with QueueUnavailableError while Redis is out of reach
 * and works by itself when it is back, also when Redis was absent at start (where BullMQ's own `add` never settles).
 */
export function createQueue({ url, connection, name, prefix, logger, telemetry }: QueueOptions) {
  const redis = connection ?? connectRedis({ url: required(url), role: 'producer', logger });
  const bull = new Queue(name, {
    connection: redis,
    prefix,
    defaultJobOptions: DEFAULT_JOB_OPTIONS,
    skipMetasUpdate: true,
    ...(telemetry === undefined ? {} : { telemetry }),
  });
  // Logged by the connection; BullMQ repeats it, and an 'error' nobody hears would end the process.
  bull.on('error', () => undefined);
  const exists = createExistsBatcher(redis);
  const ready = (): boolean => redis.status === 'ready';

  /** Runs work on Redis if it is there, within the deadline; every failure of the connection reads the same. */
  async function attempt<T>(work: () => Promise<T>, ms: number): Promise<T> {
    if (!ready()) throw new QueueUnavailableError('Redis of the queue is not connected.');
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
    /** For BullMQ's own screen. Its questions never settle once their connection died: ask by what is below. */
    bull,
    ready,
    /**
     * Adds a job. `duplicate`: a job of this id waits, runs or is delayed already. A finished or failed one
     * that was kept is made runnable again (`added`). A timed-out add may still land; its id makes that harmless.
     */
    add: (job: NewJob, { deadlineMs }: AddDeadline): Promise<'added' | 'duplicate'> =>
      attempt(() => addJob({ bull, exists }, job), deadlineMs),
    /** Adds many jobs in one round trip, without telling duplicates apart. */
    addBulk: async (jobs: readonly NewJob[], { deadlineMs }: AddDeadline): Promise<void> => {
      await attempt(() => bull.addBulk(jobs.map(toBulkJob)), deadlineMs);
    },
    /** Jobs by state. */
    counts: (): Promise<Record<string, number>> =>
      attempt(() => bull.getJobCounts(...STATES), READ_DEADLINE_MS),
    /** Age in milliseconds of the oldest job that is due and not done, retries included; null if there is none. */
    oldestWaitingMs: (): Promise<number | null> =>
      attempt(() => readOldestWaitingMs(bull, redis), READ_DEADLINE_MS),
    /** How long the next job waits already, in milliseconds; null: none does, or somebody paused the queue. */
    headWaitingMs: (): Promise<number | null> => attempt(() => readHeadWaitingMs(bull), READ_DEADLINE_MS),
    /** BullMQ's job scheduler of that id, if there is one. */
    getSchedule: (id: string): Promise<JobSchedulerJson | undefined> =>
      attempt(() => bull.getJobScheduler(id), READ_DEADLINE_MS),
    /** Makes a job scheduler of that id, in place of the one there is; it adds jobs of that name, without data. */
    setSchedule: async (id: string, repeat: Repeat): Promise<void> => {
      await attempt(() => bull.upsertJobScheduler(id, repeat, { name: id, data: {} }), READ_DEADLINE_MS);
    },
    /** Ends the connection, unless the caller brought it. */
    close: async (): Promise<void> => {
      if (connection === undefined) redis.disconnect();
      await withDeadline(bull.close(), { ms: 1_000, onTimeout: () => new Error('closing timed out') }).catch(
        () => undefined,
      );
    },
  };
}

async function readHeadWaitingMs(bull: Queue): Promise<number | null> {
  const [[head], isPaused] = await Promise.all([bull.getWaiting(0, 0), bull.isPaused()]);
  return head === undefined || isPaused ? null : Date.now() - head.timestamp;
}

interface Backend {
  readonly bull: Queue;
  readonly exists: ReturnType<typeof createExistsBatcher>;
}

function required(url: string | undefined): string {
  if (url === undefined) throw new TypeError('createQueue needs a url or a connection.');
  return url;
}

function toBulkJob({ name, data, jobId, opts }: NewJob): {
  name: string;
  data: unknown;
  opts: BulkJobOptions;
} {
  return { name, data, opts: jobId === undefined ? { ...opts } : { ...opts, jobId } };
}

async function addJob({ bull, exists }: Backend, job: NewJob): Promise<'added' | 'duplicate'> {
  const { name, data, opts } = toBulkJob(job);
  if (job.jobId === undefined) {
    await bull.add(name, data, opts);
    return 'added';
  }
  // Both go out on one connection in this order: the question costs no round trip of its own.
  let adding: Promise<unknown> | undefined;
  const existed = await exists(bull.toKey(job.jobId), () => {
    adding = bull.add(name, data, opts);
    // Who asked hears of it below; it may fail before.
    adding.catch(() => undefined);
  });
  await adding;
  if (!existed) return 'added';
  return reviveIfFinished(bull, job.jobId, () => bull.add(name, data, opts));
}

/** A job kept by other options, or failed by BullMQ itself after stalls, must not swallow the resend. */
async function reviveIfFinished(
  bull: Queue,
  jobId: string,
  addAgain: () => Promise<unknown>,
): Promise<'added' | 'duplicate'> {
  const state = await bull.getJobState(jobId);
  if (state === 'unknown') {
    await addAgain();
    return 'added';
  }
  if (state !== 'failed' && state !== 'completed') return 'duplicate';
  await bull.remove(jobId);
  await addAgain();
  return 'added';
}
