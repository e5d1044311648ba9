import { startTestRedis, waitFor } from '@billing/testing';
import type { TestRedis } from '@billing/testing';
import { createLogger } from '../logging/logger.ts';
import { connectRedis } from './connect-redis.ts';
import type { RedisClient } from './connect-redis.ts';
import { createRateLimiter } from './create-rate-limiter.ts';

const logger = createLogger({ service: 'test', level: 'error', format: 'json' });

describe('the rate limiter', () => {
  let server: TestRedis;
  let redis: RedisClient;

  beforeAll(async () => {
    server = await startTestRedis();
    redis = connectRedis({ url: server.url, role: 'cache', logger });
    await waitFor(() => redis.status === 'ready', { what: 'Redis' });
  });
  afterAll(async () => {
    redis.disconnect();
    await server.stop();
  });

  const limiterOf = (perSecond: number) => {
    const limiter = createRateLimiter({ redis, prefix: 'rate:' });
    return { take: (key: string) => limiter.take(key, perSecond) };
  };
  const passed = async (limiter: ReturnType<typeof limiterOf>, key: string, times: number) =>
    (await Promise.all(Array.from({ length: times }, () => limiter.take(key)))).filter(
      ({ isAllowed }) => isAllowed,
    ).length;

  it('lets so many pass at once, for all processes together, and says when to come back', async () => {
    const [one, other] = [limiterOf(2), limiterOf(2)];
    expect(await one.take('a')).toMatchObject({ isAllowed: true, limit: 2, remaining: 1 });
    expect((await other.take('a')).remaining).toBe(0);
    const refused = await one.take('a');
    expect(refused).toMatchObject({ isAllowed: false, remaining: 0 });
    expect(refused.retryAfterMs).toBeGreaterThan(0);
    expect(refused.retryAfterMs).toBeLessThanOrEqual(500);
    expect(await passed(other, 'b', 10)).toBe(2);
    await waitFor(async () => (await one.take('a')).isAllowed, { what: 'the allowance to grow again' });
  });

  it('forgets keys that are not used', async () => {
    await limiterOf(5).take('gone');
    expect(await redis.pttl('rate:gone')).toBeLessThanOrEqual(2_000);
  });

  it('counts in this process while Redis is away', async () => {
    const limiter = limiterOf(3);
    await server.stop();
    await waitFor(() => redis.status !== 'ready', { what: 'the loss of Redis' });
    expect(await passed(limiter, 'c', 20)).toBe(3);
    await server.start();
    await waitFor(() => redis.status === 'ready', { what: 'Redis' });
    expect(await passed(limiter, 'd', 20)).toBe(3);
  });
});
