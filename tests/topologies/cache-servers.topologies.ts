import { setTimeout as sleep } from 'node:timers/promises';
import { startTestRedis, waitFor } from '@billing/testing';
import type { TestRedis } from '@billing/testing';
import { bodyOf, cacheOf, createApiClient } from '../faults/support/api-client.ts';
import type { ApiClient } from '../faults/support/api-client.ts';
import { bothSides } from '../faults/support/proxies.ts';
import type { Side } from '../faults/support/proxies.ts';
import { inQuick } from '../faults/support/run-options.ts';
import { takePort } from '../faults/support/service-process.ts';
import { openShop, uniqueId } from '../faults/support/shop.ts';
import type { Shop } from '../faults/support/shop.ts';
import { startStack } from '../faults/support/stack.ts';
import type { Stack } from '../faults/support/stack.ts';
import { watchReads } from './support/watch-reads.ts';

let stack: Stack;
let shop: Shop;
let other: TestRedis;
/** An API process behind the worker's proxies. */
let writer: ApiClient;

beforeAll(async () => {
  [stack, other] = await Promise.all([
    startStack({ env: { ENTITLEMENT_CACHE_TTL_SECONDS: '3600', CACHE_WARMUP_MISSES_PER_SECOND: '100000' } }),
    startTestRedis({ port: await takePort() }),
  ]);
  shop = await openShop(stack);
  writer = createApiClient((await stack.addApi('worker')).url);
});
afterAll(async () => {
  await stack.close();
  await other.stop();
});

const lead = (server: { port: number }, sides: readonly Side[] = bothSides): Promise<unknown> =>
  Promise.all(sides.map((side) => stack.proxyOf(side, 'cache').leadTo(server.port)));

const isHit = async (client: ApiClient, user: string): Promise<boolean> =>
  cacheOf(await client.check(shop.apiKey, user)) === 'hit';

const untilHits = (user: string): Promise<unknown> =>
  waitFor(
    async () => (await Promise.all([...stack.clients, writer].map((one) => isHit(one, user)))).every(Boolean),
    {
      what: 'hits at all APIs',
      timeoutMs: 20_000,
    },
  );

const users = (count: number): string[] => Array.from({ length: count }, () => uniqueId('reader'));

// Naive: who reads at the one is never told of what is invalidated at the other, for the whole TTL.
it('processes on two servers that both say master answer nothing stale, and use the cache again once they agree', async () => {
  const all = users(6);
  await untilHits(all[0] ?? '');
  const watch = watchReads(shop, { clients: stack.clients, users: all });
  await watch.writeAll(writer);
  await sleep(500);
  await lead(other, ['worker']);
  for (let round = 0; round < inQuick(4, 12); round += 1) {
    await watch.writeAll(writer);
    await sleep(500);
  }
  // Longer than a read may be late: nobody believes either server now.
  watch.resetCounts();
  await sleep(1_500);
  expect(watch.counts.hits).toBe(0);
  expect(watch.counts.reads).toBeGreaterThan(0);
  await lead(other, ['api']);
  await untilHits(all[0] ?? '');
  await watch.writeAll(writer);
  await sleep(1_500);
  await watch.stop();
  expect([watch.stale, watch.backwards, watch.failed]).toEqual([[], [], []]);
  await lead(stack.cacheRedis);
  await untilHits(all[0] ?? '');
});

// Naive: the server is the same process as before, and its entries are served for the rest of their TTL.
it('a server that comes back after another one was used is believed nothing of what it has', async () => {
  await lead(stack.cacheRedis);
  const all = users(6);
  for (const user of all) await shop.grant(user, 'silver', writer);
  for (const user of all) await untilHits(user);
  await lead(other);
  await untilHits(all[0] ?? '');
  for (const user of all) await shop.grant(user, 'gold', writer);
  await sleep(1_000);
  await lead(stack.cacheRedis);
  // Of somebody else: a process remembers what it answered past the cache.
  await untilHits(uniqueId('bystander'));
  const answers = [];
  for (let round = 0; round < inQuick(20, 60); round += 1) {
    for (const client of stack.clients)
      for (const user of all) answers.push(await client.check(shop.apiKey, user));
    await sleep(50);
  }
  const features = answers
    .filter(({ status }) => status === 200)
    .map((answer) => bodyOf(answer).entitlements.length);
  expect(new Set(features)).toEqual(new Set([2]));
  await untilHits(all[0] ?? '');
});

it('says at /ready and in its metrics that the cache is off', async () => {
  await lead(stack.cacheRedis);
  await untilHits(users(1)[0] ?? '');
  await lead(other, ['worker']);
  const [client] = stack.clients;
  const enabled = async (): Promise<string | undefined> =>
    /^entitlement_cache_enabled (\S+)/m.exec(await client.metrics())?.[1];
  await waitFor(
    async () => (await stack.apis[0].readiness()).checks['cache'] === 'off: processes use different servers',
    {
      what: '/ready to say so',
      timeoutMs: 5_000,
    },
  );
  expect((await stack.apis[0].readiness()).status).toBe(200);
  expect(await enabled()).toBe('0');
  await lead(stack.cacheRedis);
  await waitFor(async () => (await enabled()) === '1', { what: 'the cache', timeoutMs: 15_000 });
  expect((await stack.apis[0].readiness()).checks['cache']).toBeUndefined();
});
