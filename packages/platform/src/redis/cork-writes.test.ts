import { startTestRedis, waitFor } from '@billing/testing';
import type { TestRedis } from '@billing/testing';
import type { Redis } from 'ioredis';
import { createLogger } from '../logging/logger.ts';
import { connectServer } from './connect-redis.ts';
import type { RedisRole } from './connect-redis.ts';

const logger = createLogger({ service: 'test', level: 'error', format: 'json' });

describe('commands of one turn of the event loop go together', () => {
  let server: TestRedis;
  const opened: Redis[] = [];

  beforeAll(async () => {
    server = await startTestRedis();
  });
  afterAll(async () => {
    for (const redis of opened) redis.disconnect();
    await server.stop();
  });

  async function connect(role: RedisRole): Promise<Redis> {
    const redis = connectServer({ url: server.url, role, logger });
    opened.push(redis);
    await waitFor(() => redis.status === 'ready', { what: 'Redis' });
    return redis;
  }

  test.each<RedisRole>(['producer', 'worker'])(
    '%s: buffered until the turn ends, answered in order',
    async (role) => {
      const redis = await connect(role);
      const { stream } = redis;
      const answers = Array.from({ length: 100 }, () => redis.incr(`counter:${role}`));
      expect([stream.writableCorked, stream.writableLength > 0]).toEqual([1, true]);
      expect(await Promise.all(answers)).toEqual(Array.from({ length: 100 }, (_, index) => index + 1));
      expect(stream.writableCorked).toBe(0);
    },
  );

  test('a transaction among single commands, and a connection that BullMQ duplicates', async () => {
    const redis = (await connect('worker')).duplicate();
    opened.push(redis);
    await waitFor(() => redis.status === 'ready', { what: 'the duplicate' });
    const results = await Promise.all([
      redis.set('key', '1'),
      redis.multi().incr('key').incr('key').exec(),
      redis.get('key'),
    ]);
    expect(results).toEqual([
      'OK',
      [
        [null, 2],
        [null, 3],
      ],
      '3',
    ]);
  });

  test('a connection that is lost meanwhile leaves the next one free', async () => {
    const redis = await connect('worker');
    const lost = redis.ping();
    redis.stream.destroy();
    await lost.catch(() => undefined);
    await waitFor(() => redis.status === 'ready', { what: 'Redis again' });
    expect(await redis.ping()).toBe('PONG');
    expect(redis.stream.writableCorked).toBe(0);
  });
});
