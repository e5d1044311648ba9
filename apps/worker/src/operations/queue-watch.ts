import { queueNames } from '@billing/domain';
import { connectRedis, createQueue, createQueueGauges, inspectQueueRedis } from '@billing/platform';
import type { Logger, Metrics } from '@billing/platform';

export type QueueWatchOptions = { redisUrl: string; prefix: string; logger: Logger; metrics: Metrics };

export type QueueWatch = { refresh: () => Promise<void>; close: () => Promise<void> };

/**
 * The gauges of both queues, refreshed on each scrape, so that they exist also while no API runs. Its connection fails
 * fast, unlike the one that consumes jobs.
 */
export function createQueueWatch({ redisUrl, prefix, logger, metrics }: QueueWatchOptions): QueueWatch {
  const connection = connectRedis({ url: redisUrl, role: 'producer', logger });
  const queues = Object.values(queueNames).map((name) => createQueue({ connection, name, prefix, logger }));
  const gauges = createQueueGauges({
    metrics,
    queues,
    inspectQueueRedis: () => inspectQueueRedis(connection),
  });
  return {
    refresh: () => gauges.refresh(),
    close: async () => {
      await Promise.all(queues.map((queue) => queue.close()));
      connection.disconnect();
    },
  };
}
