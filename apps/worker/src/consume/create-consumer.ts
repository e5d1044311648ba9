import { queueNames, stripeEventJob } from '@billing/domain';
import type { JobOutcome } from '@billing/sync';
import { activeTraceId, connectRedis, traceFields, withDeadline, withLogContext } from '@billing/platform';
import type { Logger, RedisClient } from '@billing/platform';
import { DelayedError, Worker } from 'bullmq';
import type { Job, Telemetry } from 'bullmq';

export type Processor = (job: Job) => Promise<JobOutcome>;

type QueueName = (typeof queueNames)[keyof typeof queueNames];

export type ConsumerOptions = {
  redisUrl: string;
  prefix: string;
  /** How many jobs of each queue are processed at a time. */
  concurrency: Record<QueueName, number>;
  logger: Logger;
  processors: Record<QueueName, Processor>;
  /** How long a job stays locked by a worker that died. */
  lockMs?: number;
  /** True: takes no jobs until `release`. */
  isHeld?: boolean;
  /** From `startTracing`: each job continues the trace in which it was added. */
  telemetry?: Telemetry | undefined;
};

export type Consumer = {
  isReady: () => boolean;
  /** Takes no more jobs until `release`; those that are running end. */
  hold: () => void;
  release: () => void;
  redis: RedisClient;
  stop: () => Promise<void>;
};

const jobTrace = stripeEventJob.pick({ trace_id: true });

/** BullMQ fails a job for good once it stalled more often: here the processor counts crashes itself. */
const neverGiveUp = 1_000_000;

/** Longer than any job takes, shorter than a supervisor waits before it kills the process. */
const stopMs = 18_000;

/**
 * If even putting a job back fails (Redis full or read-only for a moment), BullMQ fails the job, and a failed job is
 * deleted: its event would never reach the ledger. So BullMQ retries it without a limit.
 */
const neverFailed = {
  attempts: Number.MAX_SAFE_INTEGER,
  backoff: { type: 'fixed', delay: 5_000, jitter: 0.5 },
};

/** A job of an event names the trace of its request; with OTLP every job has one. */
const traceOfJob = ({ data }: Job): { trace_id?: string } =>
  traceFields(jobTrace.safeParse(data).data?.trace_id ?? activeTraceId());

/** Runs a job; `later` moves it to the delayed jobs, which costs no attempt. */
async function run(job: Job, processor: Processor, token: string | undefined): Promise<void> {
  Object.assign(job.opts, neverFailed);
  const outcome = await processor(job);
  if (outcome.kind === 'done') return;
  if (outcome.data !== undefined) await job.updateData(outcome.data);
  await job.moveToDelayed(Date.now() + outcome.pauseMs, token);
  throw new DelayedError();
}

/** Without Redis a worker never closes; its jobs come back when their locks expire. */
async function closeInTime(worker: Worker, logger: Logger): Promise<void> {
  try {
    await withDeadline(worker.close(), {
      ms: stopMs,
      onTimeout: () => new Error('The queue did not close in time.'),
    });
  } catch (error) {
    logger.warn('queue_worker_not_closed', { queue: worker.name, error });
  }
}

/**
 * Consumes all queues. May start without Redis, and begins when it is reachable: BullMQ's workers are created only
 * then, as they do not survive a first connection that fails.
 */
export function createConsumer(options: ConsumerOptions): Consumer {
  const { prefix, concurrency, logger, processors, lockMs = 10_000, telemetry } = options;
  const redis = connectRedis({ url: options.redisUrl, role: 'worker', logger });
  const workers: Worker[] = [];
  let isStopped = false;
  let isHeld = options.isHeld === true;

  function open(name: QueueName): Worker {
    const processor = processors[name];
    const worker = new Worker(
      name,
      (job, token) =>
        withLogContext({ job_id: job.id, job_name: job.name, ...traceOfJob(job) }, () =>
          run(job, processor, token),
        ),
      {
        connection: redis,
        prefix,
        concurrency: concurrency[name],
        lockDuration: lockMs,
        stalledInterval: Math.ceil(lockMs / 2),
        maxStalledCount: neverGiveUp,
        removeOnComplete: { count: 0 },
        removeOnFail: { count: 0 },
        skipVersionCheck: true,
        runRetryDelay: 1_000,
        ...(telemetry === undefined ? {} : { telemetry }),
      },
    );
    // The connection logs its own state; BullMQ repeats each error.
    worker.on('error', (error) => logger.debug('queue_worker_error', { queue: name, error }));
    worker.on('failed', (job, error) =>
      logger.error('job_not_put_back', { queue: name, job_id: job?.id, error }),
    );
    return worker;
  }

  function start(): void {
    if (isStopped || isHeld || workers.length > 0) return;
    for (const name of Object.values(queueNames)) workers.push(open(name));
  }
  if (redis.status === 'ready') start();
  else redis.once('ready', start);

  return {
    redis,
    isReady: () =>
      redis.status === 'ready' && (isHeld || (workers.length > 0 && workers.every((one) => one.isRunning()))),
    hold: () => {
      if (isHeld) return;
      isHeld = true;
      for (const worker of workers) void worker.pause(true).catch(() => undefined);
    },
    release: () => {
      if (!isHeld) return;
      isHeld = false;
      for (const worker of workers) void worker.resume().catch(() => undefined);
      if (redis.status === 'ready') start();
    },
    /** Takes no more jobs, waits for running ones, closes the connections. */
    stop: async () => {
      isStopped = true;
      await Promise.all(workers.map((worker) => closeInTime(worker, logger)));
      redis.disconnect();
    },
  };
}
