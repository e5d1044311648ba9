import { waitFor } from '@billing/testing';
import type { ApiClient } from './support/api-client.ts';
import { lostEvents, untilLikeStripe, untilProcessed } from './support/checks.ts';
import { inQuick, timeRecovery, seenWithin } from './support/run-options.ts';
import { createSender } from './support/load.ts';
import type { Sender } from './support/load.ts';
import { openShop } from './support/shop.ts';
import type { Shop } from './support/shop.ts';
import { startStack } from './support/stack.ts';
import type { Stack } from './support/stack.ts';

let stack: Stack;
let shop: Shop;
let sender: Sender;

const send = (client: ApiClient) => sender.send(client);

const untilAccepting = (): Promise<true> =>
  waitFor(async () => (await Promise.all(stack.clients.map(send))).every(({ status }) => status === 200), {
    what: 'both APIs to accept events',
    timeoutMs: 30_000,
    intervalMs: 100,
  });

async function expectAllKept(): Promise<void> {
  expect(await lostEvents(stack, sender.events)).toEqual([]);
  await untilLikeStripe(stack, shop, { timeoutMs: 40_000, own: sender.events });
}

// All of it on processes whose queue was not there when they started.
beforeAll(async () => {
  stack = await startStack({ isStarted: false });
  await stack.setMode('queue', 'refuse');
  await Promise.all([...stack.apis, ...stack.workers].map((process) => process.start()));
  const answers = async (): Promise<boolean> => (await stack.apis[0].readiness()).status === 503;
  await waitFor(answers, { what: 'the first answer', timeoutMs: 30_000 });
  shop = await openShop(stack);
  sender = createSender(shop);
});
afterAll(() => stack.close());

async function bringQueue(): Promise<void> {
  await stack.setMode('queue', 'pass');
  await Promise.all([...stack.apis, ...stack.workers].map((process) => process.untilReady()));
}

// Naive: `queue.add` on a connection that was never made stays pending for ever, also when Redis comes later.
describe('the queue Redis absent at start', () => {
  it('refuses events with 503 and Retry-After, and works by itself once Redis is there', async () => {
    const { status, ms, retryAfter } = await send(stack.clients[0]);
    expect([status, retryAfter]).toEqual([503, '1']);
    expect(ms).toBeLessThan(seenWithin(5_000));
    expect((await stack.apis[0].readiness()).checks['redis']).not.toBe('ok');
    await shop.subscribeMany(2);
    await stack.setMode('queue', 'pass');
    await timeRecovery(
      { fault: 'queue Redis absent at start', recovered: 'its start; events accepted' },
      untilAccepting,
    );
    await Promise.all([...stack.apis, ...stack.workers].map((process) => process.untilReady()));
    await expectAllKept();
  });
});

describe('the queue Redis', () => {
  beforeAll(bringQueue);

  // Naive: the request hangs as long as Redis does, Stripe times out, and the add lands all the same, twice.
  it.each(inQuick(['freeze'] as const, ['freeze', 'half_open'] as const))(
    '%s: every webhook is answered within 5 s',
    async (mode) => {
      const outageMs = inQuick(6_000, 20_000);
      await shop.subscribeMany(2);
      await stack.setMode('queue', mode);
      const endsAt = performance.now() + outageMs;
      const slowest: number[] = [];
      while (performance.now() < endsAt) {
        const answers = await Promise.all(stack.clients.map(send));
        for (const { status, ms, retryAfter } of answers) {
          slowest.push(ms);
          if (status !== 200) expect([status, retryAfter]).toEqual([503, '1']);
        }
      }
      expect(Math.max(...slowest)).toBeLessThan(seenWithin(5_000));
      await stack.setMode('queue', 'pass');
      await timeRecovery(
        { fault: `queue Redis ${mode}`, recovered: 'its return; events accepted' },
        untilAccepting,
      );
      await timeRecovery({ fault: `queue Redis ${mode}`, recovered: 'its return; all events applied' }, () =>
        untilProcessed(stack, { timeoutMs: 40_000, own: sender.events }),
      );
      await expectAllKept();
    },
  );

  it.each([
    ['is a replica after a failover', ['REPLICAOF', '127.0.0.1', '9'], ['REPLICAOF', 'NO', 'ONE']],
    ['wants a password', ['CONFIG', 'SET', 'requirepass', 'secret'], ['CONFIG', 'SET', 'requirepass', '']],
    ['is full', ['CONFIG', 'SET', 'maxmemory', '1'], ['CONFIG', 'SET', 'maxmemory', '0']],
  ])('%s: 503 with Retry-After, and recovery', async (what, spoil, repair) => {
    const [name = '', ...args] = spoil;
    await stack.direct.queue.call(name, ...args);
    // Connections that are logged in stay logged in: only a new one meets the password.
    for (const side of ['api', 'worker'] as const) await stack.proxyOf(side, 'queue').dropConnections();
    await waitFor(async () => (await send(stack.clients[0])).status === 503, {
      what: 'a refusal',
      timeoutMs: 10_000,
    });
    for (let round = 0; round < 5; round += 1) {
      const { status, ms, retryAfter } = await send(stack.clients[1]);
      expect([status, retryAfter]).toEqual([503, '1']);
      expect(ms).toBeLessThan(seenWithin(5_000));
    }
    const [repairName = '', ...repairArgs] = repair;
    await stack.direct.queue.call(repairName, ...repairArgs);
    await timeRecovery(
      { fault: `queue Redis ${what}`, recovered: 'its repair; events accepted' },
      untilAccepting,
    );
    await expectAllKept();
  });
});

async function showsEviction(url: string): Promise<boolean> {
  const text = await (await fetch(`${url}/metrics`)).text();
  return /queue_redis_info\{[^}]*eviction_policy="allkeys-lru"/.test(text);
}

// Naive: a queue whose jobs may be evicted reports ready, and "completes" jobs that have no data.
describe('the wrong eviction policy', () => {
  beforeAll(bringQueue);

  it('is a loud error, and in production not ready', async () => {
    await stack.direct.queue.config('SET', 'maxmemory-policy', 'allkeys-lru');
    const processes = [stack.apis[1], stack.workers[1]];
    await Promise.all(processes.map((process) => process.stop()));
    await Promise.all(processes.map((process) => process.start({ NODE_ENV: 'production' })));
    for (const process of processes) {
      await waitFor(() => process.output().includes('queue_redis_may_evict'), {
        what: `the error of ${process.name}`,
        timeoutMs: 20_000,
      });
      const checks = await waitFor(async () => (await process.readiness()).checks, {
        what: `an answer of ${process.name}`,
      });
      expect(checks['redis']).toMatch(/evict|noeviction/);
      expect((await process.readiness()).status).toBe(503);
    }
    for (const { url } of processes) await waitFor(() => showsEviction(url), { what: 'the gauge' });
    await stack.direct.queue.config('SET', 'maxmemory-policy', 'noeviction');
    await Promise.all(processes.map((process) => process.untilReady()));
    await expectAllKept();
  });
});
