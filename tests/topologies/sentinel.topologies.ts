import { setTimeout as sleep } from 'node:timers/promises';
import { startTestRedis, startTestSentinels, waitFor } from '@billing/testing';
import type { TestRedis, TestSentinels } from '@billing/testing';
import { Redis } from 'ioredis';
import { cacheOf, createApiClient } from '../faults/support/api-client.ts';
import type { ApiClient } from '../faults/support/api-client.ts';
import { untilProcessed } from '../faults/support/checks.ts';
import { inQuick, timeRecovery } from '../faults/support/run-options.ts';
import { takePort } from '../faults/support/service-process.ts';
import { openShop, uniqueId } from '../faults/support/shop.ts';
import type { Shop } from '../faults/support/shop.ts';
import { startStack } from '../faults/support/stack.ts';
import type { Stack } from '../faults/support/stack.ts';
import { watchReads } from './support/watch-reads.ts';

const downAfterMs = 1_000;

/** A primary, its replica and three Sentinels. */
type Watched = { servers: [TestRedis, TestRedis]; sentinels: TestSentinels; stop: () => Promise<void> };

async function startWatched(name: string): Promise<Watched> {
  const [first, second, ...ports] = await Promise.all(Array.from({ length: 5 }, takePort));
  const start = (port = 0): Promise<TestRedis> =>
    startTestRedis({ port, settings: ['--repl-diskless-sync-delay', '0', '--repl-timeout', '5'] });
  const servers: [TestRedis, TestRedis] = [await start(first), await start(second)];
  await onServer(servers[1], (redis) => redis.replicaof('127.0.0.1', servers[0].port));
  await waitFor(
    () => onServer(servers[1], async (redis) => (await redis.info('replication')).includes('link_status:up')),
    { what: 'the replica' },
  );
  const sentinels = await startTestSentinels({
    name,
    primaryPort: servers[0].port,
    ports,
    downAfterMs,
    replicas: 1,
  });
  return {
    servers,
    sentinels,
    stop: async () => {
      await sentinels.stop();
      for (const server of servers) {
        server.resume();
        await server.kill();
      }
    },
  };
}

/** What the primary is told from here on never reaches the replica: it follows a port on which nobody listens. */
const cutOff = (replica: TestRedis): Promise<unknown> =>
  onServer(replica, (redis) => redis.replicaof('127.0.0.1', 1));

async function onServer<T>({ port }: TestRedis, ask: (redis: Redis) => Promise<T>): Promise<T> {
  const redis = new Redis({ port, host: '127.0.0.1', retryStrategy: () => null });
  redis.on('error', () => undefined);
  try {
    return await ask(redis);
  } finally {
    redis.disconnect();
  }
}

let cache: Watched;
let queue: Watched;
let stack: Stack;
let shop: Shop;
let writer: ApiClient;

beforeAll(async () => {
  [cache, queue] = await Promise.all([startWatched('cache'), startWatched('queue')]);
  stack = await startStack({
    env: {
      REDIS_URL: queue.sentinels.url,
      CACHE_REDIS_URL: cache.sentinels.url,
      ENTITLEMENT_CACHE_TTL_SECONDS: '3600',
      CACHE_WARMUP_MISSES_PER_SECOND: '100000',
      // Only a change of the queue's Redis begins a sweep.
      EVENT_SWEEP_SECONDS: '86400',
    },
  });
  shop = await openShop(stack);
  writer = createApiClient((await stack.addApi('worker')).url);
});
afterAll(async () => {
  await stack.close();
  await Promise.all([cache.stop(), queue.stop()]);
});

const primaryOf = async ({ servers, sentinels }: Watched): Promise<[TestRedis, TestRedis]> =>
  (await sentinels.primaryPort()) === servers[0].port ? servers : [servers[1], servers[0]];

const untilHits = (user: string): Promise<unknown> =>
  waitFor(
    async () => {
      const answers = await Promise.all(
        [...stack.clients, writer].map((one) => one.check(shop.apiKey, user)),
      );
      return answers.every((answer) => cacheOf(answer) === 'hit');
    },
    { what: 'hits at all APIs', timeoutMs: 30_000 },
  );

// Naive: entries that the new primary got late, or the old one still has, are served for the rest of their TTL.
it.each(Array.from({ length: inQuick(1, 3) }, (_, round) => round + 1))(
  'a failover that loses what was written last, with two masters for a while: nothing stale, nothing backwards (%d)',
  async () => {
    const users = Array.from({ length: 6 }, () => uniqueId('reader'));
    await untilHits(users[0] ?? '');
    const watch = watchReads(shop, { clients: stack.clients, users });
    await watch.writeAll(writer);
    await sleep(300);
    const [primary, replica] = await primaryOf(cache);
    await cutOff(replica);
    for (let count = 0; count < 3; count += 1) await watch.writeAll(writer);
    primary.pause();
    await waitFor(async () => (await cache.sentinels.primaryPort()) === replica.port, {
      what: 'the failover',
      timeoutMs: 30_000,
    });
    // It still believes to be the primary, and answers who is connected.
    primary.resume();
    for (let count = 0; count < inQuick(4, 10); count += 1) {
      await watch.writeAll(writer);
      await sleep(250);
    }
    await timeRecovery(
      { fault: 'cache primary lost, Sentinel promotes', recovered: 'reads; hits at all APIs' },
      () => untilHits(users[0] ?? ''),
    );
    await watch.writeAll(writer);
    await sleep(1_500);
    await watch.stop();
    expect([watch.stale, watch.backwards, watch.failed]).toEqual([[], [], []]);
    await waitFor(
      () => onServer(primary, async (redis) => (await redis.info('replication')).includes('link_status:up')),
      { what: 'the old primary as a replica', timeoutMs: 30_000 },
    );
  },
);

// Naive: what was acknowledged and lost comes back with the next scheduled sweep, which is a day away here.
it('a failover of the queue that loses acknowledged events begins a sweep at once', async () => {
  await shop.subscribeMany(2);
  await untilProcessed(stack, { timeoutMs: 30_000 });
  // The first sweep notes which Redis has the queue.
  await waitFor(
    async () => {
      const { rows } = await stack.database.pool.query<{ known: boolean }>(
        'SELECT queue_server IS NOT NULL AS known FROM event_sweeps',
      );
      return rows[0]?.known === true;
    },
    { what: 'the first sweep', timeoutMs: 30_000 },
  );
  for (const worker of stack.workers) await worker.stop();
  const [primary, replica] = await primaryOf(queue);
  await cutOff(replica);
  await shop.subscribeMany(5);
  const waiting = (server: TestRedis) => onServer(server, (redis) => redis.llen('bull:stripe-events:wait'));
  await waitFor(async () => (await waiting(primary)) >= 5, { what: 'the events to be acknowledged' });
  await primary.kill();
  expect(await waiting(replica)).toBe(0);
  await waitFor(async () => (await queue.sentinels.primaryPort()) === replica.port, {
    what: 'the failover',
    timeoutMs: 30_000,
  });
  await stack.startProcesses();
  await timeRecovery(
    { fault: 'queue primary lost with acknowledged events', recovered: 'the sweep; all events applied' },
    () => untilProcessed(stack, { timeoutMs: 60_000 }),
  );
});
