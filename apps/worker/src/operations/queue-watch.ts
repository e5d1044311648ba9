import { queueNames } from '@billing/domain';
import { connectRedis, createQueue, createQueueGauges, inspectQueueRedis } from '@billing/platform';
import type { Logger, Metrics } from '@billing/platform';

export type QueueWatchOptions = { redisUrl: string; prefix: string; logger: Logger; metrics: Metrics };

/**
 * What this process tells of the queues on each scrape, so that they are seen while no API runs. Its connection
 * fails fast, unlike the one that jobs come by.
 */
export function createQueueWatch({ redisUrl, prefix, logger, metrics }: QueueWatchOptions) {
  const connection = connectRedis({ url: redisUrl, role: 'producer', logger });
  const queues = Object.values(queueNames).map((name) => createQueue({ connection, name, prefix, logger }));
  const gauges = createQueueGauges({
    metrics,
    queues,
    inspectQueueRedis: () => inspectQueueRedis(connection),
  });
  return {
    refresh: () => gauges.refresh(),
    close: async (): Promise<void> => {
      await Promise.all(queues.map((queue) => queue.close()));
      connection.disconnect();
    },
  };
}
