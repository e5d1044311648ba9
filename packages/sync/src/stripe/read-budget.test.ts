import { PassThrough } from 'node:stream';
import { connectRedis, createLogger, type RedisClient } from '@billing/platform';
import { startTestRedis, waitFor } from '@billing/testing';
import type { TestRedis } from '@billing/testing';
import { createReadBudget } from './read-budget.ts';

let server: TestRedis;
const open: RedisClient[] = [];
let prefixes = 0;

beforeAll(async () => {
  server = await startTestRedis();
});
afterEach(() => open.splice(0).forEach((redis) => redis.disconnect()));
afterAll(() => server.stop());

/** The budget of one process. */
async function budgetOf(prefix: string, perSecond: number, url = server.url) {
  const destination = new PassThrough().resume();
  const logger = createLogger({ service: 'test', level: 'error', format: 'json', destination });
  const redis = connectRedis({ url, role: 'cache', logger });
  open.push(redis);
  if (url === server.url) await waitFor(() => redis.status === 'ready', { what: 'Redis' });
  return { redis, ...createReadBudget({ redis, prefix, perSecond, clock: Date.now }) };
}

const freshPrefix = (): string => `budget-${(prefixes += 1)}`;
const granted = async (asked: Promise<boolean>[]): Promise<number> =>
  (await Promise.all(asked)).filter(Boolean).length;
const times = <T>(count: number, make: () => T): T[] => Array.from({ length: count }, make);

it('two workers together stay within the budget of one', async () => {
  const prefix = freshPrefix();
  const workers = [await budgetOf(prefix, 5), await budgetOf(prefix, 5)];
  const startedAt = Date.now();
  const count = await granted(workers.flatMap(({ take }) => times(30, () => take())));
  const seconds = (Date.now() - startedAt) / 1000;
  expect(count).toBeGreaterThanOrEqual(5);
  expect(count).toBeLessThanOrEqual(5 + Math.ceil(seconds * 5) + 1);
});

it('background reads leave half to urgent ones, and have all of it otherwise', async () => {
  const prefix = freshPrefix();
  const [urgent, reconciling] = [await budgetOf(prefix, 10), await budgetOf(prefix, 10)];
  expect(await granted(times(10, () => reconciling.take('background')))).toBe(10);
  const flood = new AbortController();
  const background = times(200, () => reconciling.take('background', flood.signal));
  expect(await granted(times(5, () => urgent.take()))).toBe(5);
  flood.abort();
  expect(await granted(background)).toBeLessThan(200);
});

it('a 429 stops all reads for as long as Stripe says, and halves the rate once a second', async () => {
  const prefix = freshPrefix();
  const [one, other] = [await budgetOf(prefix, 20), await budgetOf(prefix, 20)];
  await Promise.all([one.throttle(30_000), other.throttle(30_000), one.throttle(null)]);
  expect(await one.take()).toBe(false);
  expect(await other.take('background')).toBe(false);
  const state = await one.redis.hgetall(`{${prefix}:stripe-reads}`);
  expect(Number(state['factor'])).toBeCloseTo(0.5, 1);
});

it('without Redis each process keeps a budget of its own', async () => {
  const { take, throttle } = await budgetOf(freshPrefix(), 3, 'redis://127.0.0.1:9');
  const startedAt = Date.now();
  const count = await granted(times(20, () => take()));
  expect(count).toBeGreaterThanOrEqual(3);
  expect(count).toBeLessThanOrEqual(3 + Math.ceil(((Date.now() - startedAt) / 1000) * 3) + 1);
  await throttle(30_000);
  expect(await take()).toBe(false);
});
