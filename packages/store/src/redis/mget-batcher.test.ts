import { connectServer, createLogger, type RedisClient } from '@billing/platform';
import { startTestRedis, waitFor } from '@billing/testing';
import type { TestRedis } from '@billing/testing';
import { createMgetBatcher } from './mget-batcher.ts';
import type { Values } from './mget-batcher.ts';

const logger = createLogger({ service: 'test', level: 'error', format: 'json' });

describe('the batcher of MGET commands', () => {
  let server: TestRedis;
  let redis: RedisClient;
  let read: (keys: readonly string[]) => Promise<Values>;

  beforeAll(async () => {
    server = await startTestRedis();
    redis = connectServer({ url: server.url, role: 'cache', logger });
    await waitFor(() => redis.status === 'ready', { what: 'Redis' });
    const mget = createMgetBatcher(redis);
    read = (keys) => new Promise((resolve) => mget(keys, resolve));
  });
  afterAll(async () => {
    redis.disconnect();
    await server.stop();
  });

  const mgetCalls = async (): Promise<number> =>
    Number(/cmdstat_mget:calls=(\d+)/.exec(await redis.info('commandstats'))?.[1] ?? 0);

  it('asks once for all who ask in the same turn, and gives each its own', async () => {
    await redis.mset('shared', 's', 'user:1', 'one', 'user:3', '\u{1F600}');
    const before = await mgetCalls();
    const found = await Promise.all(
      Array.from({ length: 100 }, (_, user) => read(['shared', `user:${user}`])),
    );
    expect(await mgetCalls()).toBe(before + 1);
    expect(found[1]).toEqual({ values: ['s', 'one'] });
    expect(found[2]).toEqual({ values: ['s', null] });
    expect(found[3]).toEqual({ values: ['s', '\u{1F600}'] });
  });

  it('splits what is too much for one command', async () => {
    const before = await mgetCalls();
    const found = await Promise.all(Array.from({ length: 600 }, () => read(['shared'])));
    expect(found.every((one) => 'values' in one && one.values[0] === 's')).toBe(true);
    expect(await mgetCalls()).toBe(before + 3);
  });

  it('lets who comes while Redis is asked go with the next command', async () => {
    const before = await mgetCalls();
    const first = read(['shared']);
    await new Promise((resolve) => setImmediate(resolve));
    const later = Array.from({ length: 50 }, () => read(['user:1']));
    expect(await first).toEqual({ values: ['s'] });
    expect(await Promise.all(later)).toEqual(later.map(() => ({ values: ['one'] })));
    expect(await mgetCalls()).toBe(before + 2);
  });

  it('answers every reader with the error when Redis refuses or is away', async () => {
    await redis.lpush('list', 'x');
    expect(await read(['list'])).toEqual({ values: [null] });
    await server.stop();
    await waitFor(() => redis.status !== 'ready', { what: 'the connection to end' });
    const found = await Promise.all([read(['shared']), read(['user:1'])]);
    expect(found).toEqual([{ error: expect.any(Error) }, { error: expect.any(Error) }]);
  });
});
