import { waitFor } from '@billing/testing';
import { setTimeout as sleep } from 'node:timers/promises';
import { differences, readLedger, stripeEvents, untilLikeStripe } from './support/checks.ts';
import { repeat } from './support/load.ts';
import { inQuick, timeRecovery } from './support/run-options.ts';
import { openShop } from './support/shop.ts';
import type { Shop, Subscriber } from './support/shop.ts';
import { startStack } from './support/stack.ts';
import type { Stack } from './support/stack.ts';

let stack: Stack;
let shop: Shop;

beforeAll(async () => {
  stack = await startStack();
  shop = await openShop(stack);
  await shop.subscribeMany(2);
  await untilLikeStripe(stack, shop, { timeoutMs: 30_000 });
});
afterAll(() => stack.close());

const accepted = async (): Promise<number> => (await stripeEvents(stack, 'accepted')).length;

async function expectRecovered(fault: string): Promise<void> {
  await timeRecovery({ fault, recovered: 'the sweep of Stripe’s event list; state is Stripe’s' }, () =>
    untilLikeStripe(stack, shop, { timeoutMs: 60_000 }),
  );
}

/** Jobs stay in the queue as long as no worker runs. */
async function withoutWorkers(work: () => Promise<unknown>): Promise<void> {
  await Promise.all(stack.workers.map((worker) => worker.stop()));
  await work();
  await stack.startProcesses();
}

async function changeSome(subscribers: readonly Subscriber[]): Promise<void> {
  for (const [index, subscriber] of subscribers.entries()) if (index % 3 === 0) await shop.cancel(subscriber);
}

// Naive: events that were acknowledged to Stripe are gone, and are never read again.
it('recovers when the queue Redis is emptied after 50 events got their 2xx', async () => {
  await withoutWorkers(async () => {
    const before = await accepted();
    while ((await accepted()) < before + 50) await changeSome(await shop.subscribeMany(2));
    await stack.direct.queue.flushall();
  });
  await expectRecovered('queue Redis emptied after 50 acks');
});

it('recovers when the queue Redis is emptied again and again during 200 events', async () => {
  const before = (await stripeEvents(stack)).length;
  const emptying = repeat(async () => {
    await sleep(150);
    await stack.direct.queue.flushall();
  });
  while ((await stripeEvents(stack)).length < before + inQuick(50, 200))
    await changeSome(await shop.subscribeMany(2));
  await emptying.stop();
  await expectRecovered('queue Redis emptied during 200 events');
});

it('recovers when the queue Redis is killed and comes back empty', async () => {
  await withoutWorkers(async () => {
    await changeSome(await shop.subscribeMany(4));
    await waitFor(async () => (await stack.direct.queue.llen('bull:stripe-events:wait')) > 10, {
      what: 'jobs',
    });
    await stack.queueRedis.kill();
    await stack.queueRedis.start();
  });
  await expectRecovered('queue Redis killed without persistence');
});

it('recovers when all webhooks of an hour are lost, by the sweep', async () => {
  await stack.control('/webhooks', { enabled: false });
  const subscribers = await shop.subscribeMany(6);
  await stack.control('/clock', { advance_seconds: 3_600 });
  await changeSome(subscribers);
  await expectRecovered('all webhooks of an hour lost');
  await stack.control('/webhooks', { enabled: true });
});

it('recovers when a quarter of the events is dropped at random', async () => {
  await stack.control('/webhooks', { drop_ratio: 0.25 });
  await changeSome(await shop.subscribeMany(inQuick(8, 20)));
  await expectRecovered('25 % of the events dropped');
  await stack.control('/webhooks', { drop_ratio: 0 });
});

type Run = {
  status: string;
  result: { subscriptions_updated: number; subscriptions_missing_in_stripe: number } | null;
};

it('recovers by reconciliation alone when webhooks and the sweep are silent', async () => {
  // Nor can the sweep help: the list of events does not answer.
  await stack.control('/faults', { mode: '500', methods: ['GET'], path: '/v1/events' });
  await stack.control('/webhooks', { enabled: false });
  await changeSome(await shop.subscribeMany(6));
  const wrong = await differences(stack);
  expect(wrong.length).toBeGreaterThan(0);
  const known = (await readLedger(stack)).size;
  await timeRecovery(
    { fault: 'all webhooks lost, no sweep', recovered: 'a reconciliation; rows are Stripe’s' },
    async () => {
      const { run_id } = (await stack.anyApi.admin('POST', '/reconcile', {})) as { run_id: string };
      const run = await waitFor(
        async () => {
          const found = (await stack.anyApi.admin('GET', `/reconcile/${run_id}`)) as Run;
          return found.status === 'running' ? null : found;
        },
        { what: 'the run to end', timeoutMs: 60_000, intervalMs: 200 },
      );
      expect(run.status).toBe('done');
      expect(run.result?.subscriptions_updated).toBeGreaterThanOrEqual(wrong.length);
    },
  );
  expect(await differences(stack)).toEqual([]);
  expect((await readLedger(stack)).size).toBe(known);
  await stack.control('/faults', { mode: 'none' });
  await stack.control('/webhooks', { enabled: true });
});
