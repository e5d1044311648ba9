import { PassThrough } from 'node:stream';
import { startTestRedis, waitFor } from '@billing/testing';
import { createLogger } from '../logging/logger.ts';
import { connectRedis } from '../redis/connect-redis.ts';
import { checkQueueRedis } from './check-queue-redis.ts';

const destination = new PassThrough().resume();
const logger = createLogger({ service: 'test', level: 'error', format: 'json', destination });

test('a redis:// that leads to a node of a Redis Cluster is not ready, and names what to write', async () => {
  const node = await startTestRedis({ settings: ['--cluster-enabled', 'yes', '--cluster-port', '0'] });
  const redis = connectRedis({ url: node.url, role: 'cache', logger });
  await waitFor(() => redis.status === 'ready', { what: 'Redis' });
  await expect(checkQueueRedis(redis, { prefix: 'bull', mustNotEvict: false })).resolves.toEqual({
    state: 'blocked',
    says: 'is a node of a Redis Cluster: write redis+cluster:// in REDIS_URL',
  });
  redis.disconnect();
  await node.stop();
});
