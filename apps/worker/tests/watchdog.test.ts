import { PassThrough } from 'node:stream';
import { createLogger } from '@billing/platform';
import { createDatabase } from '@billing/store';
import { createTestDatabase, createTestProxy } from '@billing/testing';
import type { Job } from 'bullmq';
import { startTestWorker } from './support/start-test-worker.test-support.ts';
import { createWatchdog } from '../src/operations/watchdog.ts';

const logger = () =>
  createLogger({ service: 'test', level: 'error', format: 'json', destination: new PassThrough().resume() });

/** A watchdog on a real Postgres, with a clock and an oldest job that the test controls. */
async function watched() {
  const testDatabase = await createTestDatabase();
  const proxy = await createTestProxy({ port: Number(new URL(testDatabase.url).port) });
  const database = createDatabase({
    url: proxy.urlFor(testDatabase.url),
    poolSize: 1,
    connectTimeoutMs: 1_000,
    statementTimeoutMs: 1_000,
  });
  const queue: { oldestMs: number | null } = { oldestMs: 0 };
  const time = { now: 0 };
  const watchdog = createWatchdog({
    database,
    logger: logger(),
    oldestWaitingMs: () =>
      queue.oldestMs === null ? Promise.reject(new Error('no Redis')) : Promise.resolve(queue.oldestMs),
    mostWaitingMs: 300_000,
    mostIdleMs: 60_000,
    now: () => time.now,
  });
  return {
    ...watchdog,
    queue,
    proxy,
    lookAfter: (ms: number) => {
      time.now += ms;
      return watchdog.look();
    },
    close: async () => {
      await database.$disconnect();
      await proxy.close();
      await testDatabase.drop();
    },
  };
}

// The watchdog ignores the job's content.
const anyJob = (): Promise<Job> =>
  idleWorld.then(({ queue }) => queue.bull.add('test', {}, { delay: 60_000 }));
let idleWorld: ReturnType<typeof startTestWorker>;
beforeAll(() => {
  idleWorld = startTestWorker({ isStarted: false });
});
afterAll(async () => (await idleWorld).close());

it('ends a worker without progress while its dependencies answer, and no other', async () => {
  const { queue, proxy, lookAfter, counted, close } = await watched();
  queue.oldestMs = 299_000;
  expect([await lookAfter(0), await lookAfter(600_000)]).toEqual(['fine', 'fine']);
  queue.oldestMs = 301_000;
  expect([await lookAfter(0), await lookAfter(59_000)]).toEqual(['fine', 'fine']);
  const work = counted(() => Promise.resolve({ kind: 'done' }));
  await work(await anyJob());
  expect([await lookAfter(2_000), await lookAfter(1_000), await lookAfter(30_000)]).toEqual([
    'fine',
    'fine',
    'fine',
  ]);
  await proxy.setMode('refuse');
  expect([await lookAfter(60_000), await lookAfter(60_000)]).toEqual(['fine', 'fine']);
  await proxy.setMode('pass');
  queue.oldestMs = null;
  expect([await lookAfter(60_000), await lookAfter(60_000)]).toEqual(['fine', 'fine']);
  queue.oldestMs = 301_000;
  expect([await lookAfter(0), await lookAfter(60_000)]).toEqual(['fine', 'stuck']);
  await close();
}, 60_000);

it('ends a worker in which one job hangs while others come and go', async () => {
  const { proxy, lookAfter, counted, close } = await watched();
  const job = await anyJob();
  const hand: { putDown: () => void } = { putDown: () => undefined };
  const held = counted(() => new Promise((resolve) => (hand.putDown = () => resolve({ kind: 'done' }))));
  const quick = counted(() => Promise.resolve({ kind: 'done' }));
  const first = held(job);
  expect(await lookAfter(299_000)).toBe('fine');
  await quick(job);
  expect([await lookAfter(2_000), await lookAfter(59_000)]).toEqual(['fine', 'fine']);
  await proxy.setMode('refuse');
  expect(await lookAfter(60_000)).toBe('fine');
  await proxy.setMode('pass');
  expect(await lookAfter(0)).toBe('fine');
  hand.putDown();
  await first;
  expect(await lookAfter(60_000)).toBe('fine');
  void held(job);
  expect(await lookAfter(301_000)).toBe('fine');
  await quick(job);
  expect(await lookAfter(60_000)).toBe('stuck');
  await close();
}, 60_000);
