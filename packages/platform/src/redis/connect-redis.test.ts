import { PassThrough } from 'node:stream';
import { createTestProxy, startTestRedis, waitFor, type TestProxy, type TestRedis } from '@billing/testing';
import type { Redis } from 'ioredis';
import { createLogger } from '../logging/logger.ts';
import { connectServer } from './connect-redis.ts';
import { inspectQueueRedis } from '../queue/watch-queue-redis.ts';

let server: TestRedis;
let proxy: TestProxy;
let cache: Redis;
const lines: string[] = [];

function eventCount(event: string): number {
  return lines.filter((line) => line.includes(`"${event}"`)).length;
}

beforeAll(async () => {
  server = await startTestRedis();
  proxy = await createTestProxy(server);
  const destination = new PassThrough().setEncoding('utf8');
  destination.on('data', (chunk: string) => lines.push(...chunk.trim().split('\n')));
  const logger = createLogger({ service: 'test', level: 'info', format: 'json', destination });
  cache = connectServer({ url: proxy.urlFor(server.url), role: 'cache', logger });
  await waitFor(() => cache.status === 'ready', { what: 'the cache connection' });
});

afterAll(async () => {
  cache.disconnect();
  await proxy.close();
  await server.stop();
});

async function untilAnswers(): Promise<void> {
  await waitFor(async () => (await cache.ping()) === 'PONG', {
    timeoutMs: 15_000,
    what: 'the cache to answer',
  });
}

test.each(['freeze', 'half_open', 'cut_replies', 'refuse'] as const)(
  '%s: commands fail, and the connection recovers by itself',
  async (mode) => {
    await untilAnswers();
    await proxy.setMode(mode);
    await expect(cache.get('key')).rejects.toMatchObject({ message: expect.any(String) });
    await proxy.setMode('pass');
    await untilAnswers();
  },
);

test('an outage is logged once, not once for each attempt', async () => {
  await untilAnswers();
  const before = eventCount('redis_unreachable');
  const attempts = countReconnects(cache);
  await server.kill();
  await waitFor(() => attempts() >= 3, { what: 'three attempts to connect' });
  expect(eventCount('redis_unreachable')).toBe(before + 1);
  await server.start();
  await untilAnswers();
});

function countReconnects(redis: Redis): () => number {
  let attempts = 0;
  redis.on('reconnecting', () => (attempts += 1));
  return () => attempts;
}

test('inspectQueueRedis reads policy and persistence', async () => {
  const safe = await inspectQueueRedis(cache, 'bull');
  expect(safe).toMatchObject({ evictionPolicy: 'noeviction', persistent: false });
  expect(safe.id).toMatch(/^[0-9a-f]{40}-[0-9a-f]{40}$/);
  await cache.config('SET', 'maxmemory-policy', 'allkeys-lru');
  await cache.config('SET', 'save', '900 1');
  await expect(inspectQueueRedis(cache, 'bull')).resolves.toMatchObject({
    evictionPolicy: 'allkeys-lru',
    persistent: true,
  });
});
