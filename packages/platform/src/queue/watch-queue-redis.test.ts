import { PassThrough } from 'node:stream';
import { startTestRedis, waitFor } from '@billing/testing';
import { createLogger } from '../logging/logger.ts';
import { connectServer } from '../redis/connect-redis.ts';
import { inspectQueueRedis, watchQueueRedis } from './watch-queue-redis.ts';
import type { QueueRedisReport } from './watch-queue-redis.ts';

it('logs once what is wrong with the Redis of the queue, also when Redis starts later', async () => {
  const redis = await startTestRedis({ evictionPolicy: 'allkeys-lru', isStarted: false });
  const lines: string[] = [];
  const destination = new PassThrough();
  destination.on('data', (chunk: Buffer) => lines.push(chunk.toString()));
  const logger = createLogger({ service: 'test', level: 'info', format: 'json', destination });
  const connection = connectServer({ url: redis.url, role: 'producer', logger });
  const reports: QueueRedisReport[] = [];
  const stop = watchQueueRedis({
    inspect: async () => {
      const report = await inspectQueueRedis(connection, 'bull');
      reports.push(report);
      return report;
    },
    logger,
  });
  try {
    await redis.start();
    await waitFor(() => reports.length > 0, { what: 'a report', timeoutMs: 15_000 });
    await waitFor(() => lines.join('').includes('queue_redis_not_persistent'), { what: 'the warning' });
    const count = (event: string): number => lines.filter((line) => line.includes(event)).length;
    expect([count('queue_redis_may_evict'), count('queue_redis_not_persistent')]).toEqual([1, 1]);
    expect(reports[0]?.evictionPolicy).toBe('allkeys-lru');
  } finally {
    stop();
    connection.disconnect();
    await redis.stop();
  }
}, 30_000);
