import { waitFor } from '@billing/testing';
import { bodyOf } from './support/api-client.ts';
import { jobCount, untilLikeStripe } from './support/checks.ts';
import { repeat } from './support/load.ts';
import { inQuick, timeRecovery, seenWithin } from './support/run-options.ts';
import { openShop } from './support/shop.ts';
import type { Shop } from './support/shop.ts';
import { startStack } from './support/stack.ts';
import type { Stack } from './support/stack.ts';

let stack: Stack;
let shop: Shop;

beforeAll(async () => {
  stack = await startStack();
  shop = await openShop(stack);
});
afterAll(() => stack.close());

function startReading() {
  const seen = { statuses: new Set<number>(), slowestMs: 0 };
  const reading = repeat(async () => {
    const answers = await Promise.all(stack.clients.map((client) => client.check(shop.apiKey, 'reader')));
    for (const { status, ms } of answers) {
      seen.statuses.add(status);
      seen.slowestMs = Math.max(seen.slowestMs, ms);
    }
  });
  return { seen, stop: reading.stop };
}

const untilCheckoutWorks = (): Promise<true> =>
  waitFor(
    async () => {
      const answers = await Promise.all(
        stack.clients.map((client) => client.checkout(shop.apiKey, shop.order())),
      );
      return answers.every(({ status }) => status === 200);
    },
    { what: 'checkouts at both APIs', timeoutMs: 30_000, intervalMs: 100 },
  );

// Naive: a transaction or a connection stays open during a call to Stripe, and 200 buyers stop all readers.
it.each(inQuick(['freeze'] as const, ['freeze', 'half_open'] as const))(
  '200 hanging checkouts (%s) do not slow reads, and end within 15 s',
  async (mode) => {
    await untilCheckoutWorks();
    await stack.setMode('stripe', mode, ['api']);
    const reading = startReading();
    const answers = await Promise.all(
      Array.from({ length: inQuick(60, 200) }, (_, index) =>
        stack.clients[index % 2 === 0 ? 0 : 1].checkout(shop.apiKey, shop.order()),
      ),
    );
    await reading.stop();
    await stack.setMode('stripe', 'pass', ['api']);
    expect([...reading.seen.statuses]).toEqual([200]);
    expect(reading.seen.slowestMs).toBeLessThan(seenWithin(1_000));
    for (const answer of answers) {
      expect([answer.status, bodyOf(answer).code]).toEqual([503, 'stripe_unavailable']);
      expect(answer.headers.get('retry-after')).not.toBeNull();
    }
    expect(Math.max(...answers.map(({ ms }) => ms))).toBeLessThan(seenWithin(15_000));
    await timeRecovery(
      { fault: `Stripe ${mode}`, recovered: 'its return; checkouts work' },
      untilCheckoutWorks,
    );
  },
);

async function inDoubt(): Promise<number> {
  const { rowCount } = await stack.database.pool.query('SELECT 1 FROM subscriptions WHERE NOT confirmed');
  return rowCount ?? 0;
}

// Naive: events that tie wait for Stripe and block the queue, or the payload that came last wins.
it.each([
  ['freeze', () => stack.setMode('stripe', 'freeze', ['worker'])],
  ['429', () => stack.control('/faults', { mode: '429', methods: ['GET'] })],
  ['500', () => stack.control('/faults', { mode: '500', methods: ['GET'] })],
] as const)('rechecks what was in doubt while Stripe was out of reach (%s)', async (what, fault) => {
  await fault();
  // Several events of one second for each: only Stripe knows which came last.
  const subscribers = await shop.subscribeMany(inQuick(4, 10));
  await Promise.all(subscribers.filter((_, index) => index % 2 === 0).map((one) => shop.cancel(one)));
  const events = async (): Promise<boolean> => {
    const { rows } = await stack.database.pool.query('SELECT 1 FROM stripe_events WHERE type = $1', [
      'customer.subscription.deleted',
    ]);
    return rows.length > 0;
  };
  await waitFor(events, { what: 'events to be applied all the same', timeoutMs: 40_000 });
  // No event is left that could resolve a doubt.
  await waitFor(async () => (await jobCount(stack)) === 0 && (await inDoubt()) > 0, {
    what: 'an empty queue and a doubt',
    timeoutMs: 60_000,
  });
  await stack.setMode('stripe', 'pass', ['worker']);
  await stack.control('/faults', { mode: 'none' });
  await timeRecovery({ fault: `Stripe ${what} for the worker`, recovered: 'its return; all rechecked' }, () =>
    untilLikeStripe(stack, shop, { timeoutMs: 60_000 }),
  );
  await waitFor(async () => (await inDoubt()) === 0, {
    what: 'every doubt to be resolved',
    timeoutMs: 60_000,
  });
});
