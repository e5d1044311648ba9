import type { Metrics } from '../metrics.ts';
import type { QueueRedisReport } from '../redis/inspect-queue-redis.ts';
import type { JobQueue } from './create-queue.ts';

export interface QueueGaugesOptions {
  readonly metrics: Pick<Metrics, 'queueJobs' | 'queueOldestWaiting' | 'queueRedisInfo'>;
  readonly queues: readonly Pick<JobQueue, 'name' | 'counts' | 'oldestWaitingMs'>[];
  readonly inspectQueueRedis: () => Promise<QueueRedisReport>;
}

export interface QueueGauges {
  /** Reads all anew; what Redis does not answer in time is absent from the scrape. */
  refresh(): Promise<void>;
  /** After a scrape: where several processes are added up, only the one that was asked may have numbers. */
  reset(): void;
}

/**
 * The gauges of the queues, read from Redis for each scrape. While Redis is away there are none: an old number
 * would look like a queue that stands still.
 */
export function createQueueGauges({ metrics, queues, inspectQueueRedis }: QueueGaugesOptions): QueueGauges {
  const { queueJobs, queueOldestWaiting, queueRedisInfo } = metrics;

  function reset(): void {
    queueJobs.reset();
    queueOldestWaiting.reset();
    queueRedisInfo.reset();
  }

  async function refreshQueue(queue: QueueGaugesOptions['queues'][number]): Promise<void> {
    const [counts, oldestWaitingMs] = await Promise.all([queue.counts(), queue.oldestWaitingMs()]);
    for (const [state, count] of Object.entries(counts)) queueJobs.set({ queue: queue.name, state }, count);
    queueOldestWaiting.set({ queue: queue.name }, (oldestWaitingMs ?? 0) / 1000);
  }

  async function refreshRedis(): Promise<void> {
    const { evictionPolicy, persistent } = await inspectQueueRedis();
    queueRedisInfo.set({ eviction_policy: evictionPolicy, persistent: String(persistent) }, 1);
  }

  return {
    reset,
    async refresh(): Promise<void> {
      reset();
      await Promise.allSettled([...queues.map(refreshQueue), refreshRedis()]);
    },
  };
}
