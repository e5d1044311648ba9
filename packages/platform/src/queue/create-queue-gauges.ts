import type { Metrics } from '../metrics.ts';
import type { JobQueue } from './create-queue.ts';
import type { QueueRedisReport } from './watch-queue-redis.ts';

export type QueueGaugesOptions = {
  readonly metrics: Pick<Metrics, 'queueJobs' | 'queueOldestWaiting' | 'queueRedisInfo'>;
  readonly queues: readonly Pick<JobQueue, 'name' | 'counts' | 'oldestWaitingMs'>[];
  readonly inspectQueueRedis: () => Promise<QueueRedisReport>;
};

export type QueueGauges = {
  /** Reads all values again; what Redis does not answer in time is absent from the scrape. */
  refresh: () => Promise<void>;
  /** After each scrape: where several processes are added up, only those that are scraped may have values. */
  reset: () => void;
};

/**
 * The gauges of the queues, read from Redis for each scrape. While Redis is away there are none: an old value
 * would look like a queue that makes no progress.
 */
export function createQueueGauges({ metrics, queues, inspectQueueRedis }: QueueGaugesOptions): QueueGauges {
  const { queueJobs, queueOldestWaiting, queueRedisInfo } = metrics;
  let scrapes = 0;

  function clear(): void {
    queueJobs.reset();
    queueOldestWaiting.reset();
    queueRedisInfo.reset();
  }

  async function readQueue(queue: QueueGaugesOptions['queues'][number]): Promise<() => void> {
    const [counts, oldestWaitingMs] = await Promise.all([queue.counts(), queue.oldestWaitingMs()]);
    return () => {
      for (const [state, count] of Object.entries(counts)) queueJobs.set({ queue: queue.name, state }, count);
      queueOldestWaiting.set({ queue: queue.name }, (oldestWaitingMs ?? 0) / 1000);
    };
  }

  async function readRedis(): Promise<() => void> {
    const { evictionPolicy, persistent } = await inspectQueueRedis();
    return () => queueRedisInfo.set({ eviction_policy: evictionPolicy, persistent: String(persistent) }, 1);
  }

  return {
    reset(): void {
      scrapes = Math.max(0, scrapes - 1);
      if (scrapes === 0) clear();
    },
    async refresh(): Promise<void> {
      scrapes += 1;
      const readings = await Promise.allSettled([...queues.map(readQueue), readRedis()]);
      // Synchronously: a scrape that runs at the same time must not see them empty.
      clear();
      for (const reading of readings) if (reading.status === 'fulfilled') reading.value();
    },
  };
}
