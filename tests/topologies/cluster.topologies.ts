import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { startTestRedisCluster, waitFor } from '@billing/testing';
import type { TestRedisCluster } from '@billing/testing';
import { slotOf } from '@billing/platform';
import { cacheOf, createApiClient } from '../faults/support/api-client.ts';
import type { ApiClient } from '../faults/support/api-client.ts';
import { inQuick, timeRecovery } from '../faults/support/run-options.ts';
import { takePort } from '../faults/support/service-process.ts';
import { openShop, uniqueId } from '../faults/support/shop.ts';
import type { Shop } from '../faults/support/shop.ts';
import { startStack } from '../faults/support/stack.ts';
import type { Stack } from '../faults/support/stack.ts';
import { watchReads } from './support/watch-reads.ts';

const password = randomBytes(12).toString('hex');
let cluster: TestRedisCluster;
let stack: Stack;
let shop: Shop;
let writer: ApiClient;

beforeAll(async () => {
  cluster = await startTestRedisCluster({
    ports: await Promise.all(Array.from({ length: 6 }, takePort)),
  });
  // The least that docs/security.md names.
  const rights = ['~*', '&*', '+@all', '-@admin', '-@dangerous', '+info', '+cluster|slots', '+cluster|nodes'];
  for (const { redis } of [...cluster.primaries, ...cluster.replicas])
    await redis.call('ACL', 'SETUSER', 'billing', 'on', `>${password}`, ...rights);
  const url = cluster.url.replace('://', `://billing:${password}@`);
  stack = await startStack({
    env: {
      REDIS_URL: url,
      CACHE_REDIS_URL: url,
      ENTITLEMENT_CACHE_TTL_SECONDS: '3600',
      CACHE_WARMUP_MISSES_PER_SECOND: '100000',
    },
  });
  shop = await openShop(stack);
  writer = createApiClient((await stack.addApi('worker')).url);
});
afterAll(async () => {
  await stack?.close();
  await cluster?.stop();
});

/** Reads each user at each API once; returns how many of the reads were hits. */
async function hitsOf(users: readonly string[]): Promise<Map<string, number>> {
  const hits = new Map(users.map((user) => [user, 0]));
  for (const client of stack.clients)
    for (const user of users) {
      const answer = await client.check(shop.apiKey, user);
      expect(answer.status).toBe(200);
      if (cacheOf(answer) === 'hit') hits.set(user, (hits.get(user) ?? 0) + 1);
    }
  return hits;
}

const sum = (counts: Iterable<number>): number => [...counts].reduce((total, count) => total + count, 0);

const untilHits = (users: readonly string[]): Promise<unknown> =>
  waitFor(async () => sum((await hitsOf(users)).values()) === stack.clients.length * users.length, {
    what: 'hits of all users at all APIs',
    timeoutMs: 30_000,
  });

// Naive: jobs of one script lie in different slots, and every webhook is 503.
it('webhooks go through the queue, and reads of what they changed through the cache', async () => {
  const { userId } = await shop.subscribe();
  await waitFor(
    async () => JSON.stringify((await stack.anyApi.check(shop.apiKey, userId)).body).includes('"pro"'),
    { what: 'the subscription', timeoutMs: 20_000 },
  );
  await untilHits([userId]);
  expect((await stack.apis[0].readiness()).checks).toEqual({ database: 'ok', redis: 'ok' });
});

it('users of one project are on all nodes, and reads ten times between changes are hits', async () => {
  const users = Array.from({ length: 30 }, () => uniqueId('spread'));
  for (const user of users) await shop.grant(user, 'gold', writer);
  let hits = 0;
  for (let count = 0; count < 10; count += 1) hits += sum((await hitsOf(users)).values());
  expect(hits / (10 * 2 * users.length)).toBeGreaterThan(0.8);
  for (const { redis } of cluster.primaries) {
    const keys = await redis.keys(`ent:*u:*:${shop.projectId}:spread_*`);
    expect(keys.length).toBeGreaterThan(0);
  }
});

// Naive: an entry goes along with its slot, and its invalidation goes to where the slot was.
it('moving slots to another node and back gives no stale answer', async () => {
  const users = Array.from({ length: 30 }, () => uniqueId('moved'));
  for (const user of users) await shop.grant(user, 'first', writer);
  await untilHits(users);
  const [from, to] = cluster.primaries;
  if (from === undefined || to === undefined) throw new Error('the cluster has primaries');
  const keys = await from.redis.keys('ent:*u:*:moved_*');
  const slots = [...new Set(keys.map(slotOf))].slice(0, inQuick(3, 8));
  expect(slots.length).toBeGreaterThan(0);
  const watch = watchReads(shop, { clients: stack.clients, users });
  for (const [source, target] of [
    [from, to],
    [to, from],
  ] as const)
    for (const slot of slots) {
      const moving = cluster.moveSlot(slot, { from: source, to: target, pauseMs: 300 });
      await watch.writeAll(writer);
      await moving;
      await watch.writeAll(writer);
    }
  await sleep(1_500);
  await watch.stop();
  expect([watch.stale, watch.backwards, watch.failed]).toEqual([[], [], []]);
  await untilHits(users);
});

// Naive: the generation of the project lies on one node, and all of its users lose their hits with that.
it('a lost shard costs the hits of its users only, until its replica takes over', async () => {
  const users = Array.from({ length: 40 }, () => uniqueId('lost'));
  for (const user of users) await shop.grant(user, 'gold', writer);
  await untilHits(users);
  // Not the one that has the queue.
  const queueSlot = slotOf('{bull}');
  const index = cluster.primaries.findIndex((_, at) => Math.floor((queueSlot * 3) / 16_384) !== at);
  const lost = cluster.primaries[index];
  if (lost === undefined) throw new Error('a node without the queue');
  const itsKeys = await lost.redis.keys('ent:*u:*:lost_*');
  const itsUsers = new Set(itsKeys.map((key) => key.slice(key.lastIndexOf(':') + 1)));
  const others = users.filter((user) => !itsUsers.has(user));
  expect([itsUsers.size > 0, others.length > 0]).toEqual([true, true]);
  const watch = watchReads(shop, { clients: stack.clients, users: users.slice(0, 10) });
  await lost.server.kill();
  const during = await hitsOf(others);
  expect(sum(during.values()) / (2 * others.length)).toBeGreaterThan(0.9);
  await watch.writeAll(writer);
  await timeRecovery(
    { fault: 'a shard of the cache is lost', recovered: 'its replica; hits of all users' },
    () => untilHits(users),
  );
  await watch.writeAll(writer);
  await sleep(1_500);
  await watch.stop();
  expect([watch.stale, watch.backwards, watch.failed]).toEqual([[], [], []]);
});
