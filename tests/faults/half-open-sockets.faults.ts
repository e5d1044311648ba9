import { setTimeout as sleep } from 'node:timers/promises';
import { waitFor } from '@billing/testing';
import { cacheOf, featuresOf } from './support/api-client.ts';
import { lostEvents, untilLikeStripe } from './support/checks.ts';
import type { DependencyName, Side } from './support/proxies.ts';
import { createSender, repeat } from './support/load.ts';
import type { Sender } from './support/load.ts';
import { inQuick, timeRecovery } from './support/run-options.ts';
import { openShop, uniqueId } from './support/shop.ts';
import type { Shop } from './support/shop.ts';
import { startStack } from './support/stack.ts';
import type { Stack } from './support/stack.ts';

let stack: Stack;
let shop: Shop;
let sender: Sender;

beforeAll(async () => {
  stack = await startStack();
  shop = await openShop(stack);
  sender = createSender(shop);
});
afterAll(() => stack.close());

/** Events and cold reads at both APIs, again and again; other files limit how slow they may be. */
function startAsking() {
  const statuses = new Set<number>();
  const asking = stack.clients.map((client) =>
    repeat(async () => {
      const [sent, read] = await Promise.all([
        sender.send(client),
        client.check(shop.apiKey, uniqueId('cold')),
      ]);
      for (const { status } of [sent, read]) statuses.add(status);
      await sleep(40);
    }),
  );
  return { statuses, stop: () => Promise.all(asking.map((one) => one.stop())) };
}

/** As many at once as use up a pool of connections: each of them is then one of the dead. */
const readMany = () =>
  Promise.all(
    stack.clients.flatMap((client) =>
      Array.from({ length: 10 }, () => client.check(shop.apiKey, uniqueId('cold'))),
    ),
  );

/** From end to end at both APIs: a purchase in Stripe becomes a cached answer, and a checkout works. */
async function worksEverywhere(): Promise<void> {
  const { userId } = await shop.subscribe();
  await waitFor(
    async () => {
      const answers = await Promise.all(stack.clients.map((client) => client.check(shop.apiKey, userId)));
      return answers.every((answer) => cacheOf(answer) === 'hit' && featuresOf(answer).includes('pro'));
    },
    { what: 'hits at both APIs', timeoutMs: 40_000, intervalMs: 50 },
  );
  await waitFor(
    async () => {
      const orders = stack.clients.map((client) => client.checkout(shop.apiKey, shop.order()));
      return (await Promise.all(orders)).every(({ status }) => status === 200);
    },
    { what: 'checkouts at both APIs', timeoutMs: 40_000, intervalMs: 100 },
  );
  await waitFor(async () => (await sender.send(stack.anyApi)).status === 200, { what: 'an accepted event' });
}

/** A dead socket is noticed when it is used; some connections are used by the metrics only. */
async function hasNoDeadSockets(side: Side, name: 'queue' | 'cache'): Promise<boolean> {
  await Promise.all([...stack.apis, ...stack.workers].map(({ url }) => fetch(`${url}/metrics`)));
  return (await stack.proxyOf(side, name).deadConnectionCount()) === 0;
}

type Row = [side: Side, name: DependencyName];

const whole: Row[] = [
  ['api', 'queue'],
  ['api', 'cache'],
  ['api', 'database'],
  ['api', 'stripe'],
  ['worker', 'queue'],
  ['worker', 'cache'],
  ['worker', 'database'],
  ['worker', 'stripe'],
];
/** The others are in the quick suite as rows of other tables. */
const quick: Row[] = [
  ['api', 'cache'],
  ['worker', 'stripe'],
];

// Naive: a socket that lost its other end is waited for as long as the kernel does, for hours.
it.each(inQuick(quick, whole))(
  'half-open sockets from %s to %s are given up, and all works again',
  async (side, name) => {
    await worksEverywhere();
    await readMany();
    const asking = startAsking();
    await stack.setMode(name, 'half_open', [side]);
    for (const { status } of await readMany()) expect([200, 503]).toContain(status);
    // Work for the processes that hold the dead sockets.
    await shop.subscribeMany(2);
    await sleep(inQuick(1_000, 4_000));
    // New connections are sound again; those that were dead stay dead.
    await stack.setMode(name, 'pass', [side]);
    await asking.stop();
    for (const status of asking.statuses) expect([200, 503]).toContain(status);
    const what = `half-open sockets from ${side} to ${name}`;
    await timeRecovery({ fault: what, recovered: 'limits on sockets and waits; all works' }, worksEverywhere);
    if (name === 'queue' || name === 'cache')
      await waitFor(() => hasNoDeadSockets(side, name), { what: 'dead sockets to end', timeoutMs: 60_000 });
    await untilLikeStripe(stack, shop, { timeoutMs: 60_000, own: sender.events });
    expect(await lostEvents(stack, sender.events)).toEqual([]);
  },
);
