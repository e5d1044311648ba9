import { isHandledEventType } from '@billing/domain';
import { stripeEvent, subscriptionObject, waitFor } from '@billing/testing';
import { startTestWorker, uniqueId } from './support/start-test-worker.test-support.ts';
import type { TestWorker } from './support/start-test-worker.test-support.ts';
import { startJourney } from './support/stripe-journey.test-support.ts';

let world: TestWorker;
beforeAll(async () => {
  world = await startTestWorker({
    env: { STRIPE_SECRET_KEY: 'rk_test_restricted', STRIPE_READS_PER_SECOND: '100' },
  });
});
afterEach(() => world.control('/faults', { mode: 'none' }));
afterAll(() => world.close());

const ready = async () => {
  const response = await fetch(`http://127.0.0.1:${world.worker().port}/ready`);
  return { status: response.status, body: await response.json() };
};
const metric = async (pattern: RegExp): Promise<string | undefined> => {
  const response = await fetch(`http://127.0.0.1:${world.worker().port}/metrics`);
  return pattern.exec(await response.text())?.[1];
};

/** Of a session that is not expanded. */
function paymentIntentOf({ payment_intent: id }: { payment_intent: unknown }): string {
  if (typeof id !== 'string') throw new Error('the session has no payment');
  return id;
}

const noRecord = {
  said: {},
  lineItems: [],
  chargeAmount: null,
  money: { refunds: {}, charge: null, disputes: {} },
};

type Doubtful = {
  id: string;
  sessionId: string;
  recheckAt: Date;
  record: Record<string, string | number | object | null>;
  chargeId?: string;
  amountRefunded?: bigint;
};

const givePurchase = (columns: Doubtful) =>
  world.database.purchase.create({
    data: { status: 'paid', paidAt: new Date(0), confirmed: false, ...columns },
  });

/** Purchases whose refunds are uncertain: each needs its charge. */
async function giveRefused(count: number): Promise<void> {
  for (const id of Array.from({ length: count }, () => uniqueId('pi'))) {
    const refund = { at: 1, status: 'succeeded', amount: 5, createdAt: 1 };
    await givePurchase({
      id,
      sessionId: `cs_${id}`,
      recheckAt: new Date(Date.now() - 60_000),
      chargeId: `ch_${id}`,
      amountRefunded: 5n,
      record: { ...noRecord, money: { ...noRecord.money, refunds: { [`re_${id}`]: refund } } },
    });
  }
}

it('40 rows that Stripe refuses to the key do not keep 20 others waiting', async () => {
  await world.control('/faults', { mode: 'permission', permission: 'rak_charge_read', path: '/v1/charges' });
  await giveRefused(40);
  // In doubt and due, after the refused ones: what their sessions sold is not known.
  for (let index = 0; index < 20; index += 1) {
    const journey = await startJourney(world, 'payment');
    await journey.pay();
    const session = await world.stripe.checkout.sessions.retrieve(journey.sessionId);
    await givePurchase({
      id: paymentIntentOf(session),
      sessionId: session.id,
      recheckAt: new Date(Date.now() - 1_000),
      record: { ...noRecord, lineItems: null },
    });
  }
  await waitFor(async () => (await world.database.purchase.count({ where: { confirmed: true } })) === 20, {
    what: 'the others',
    timeoutMs: 30_000,
  });
  const denied = () => metric(/^stripe_permission_denied_total\{operation="GET \/v1\/charges\/:id"\} (\d+)/m);
  await waitFor(async () => Number(await denied()) === 40, {
    what: 'all refused ones to be asked for once',
    timeoutMs: 30_000,
  });
  expect(await ready()).toEqual({
    status: 200,
    body: {
      status: 'degraded',
      checks: {
        database: 'ok',
        redis: 'ok',
        stripe: 'the Stripe key may not GET /v1/charges/:id (rak_charge_read)',
      },
    },
  });
  expect(await metric(/^stripe_permissions_missing (\d+)/m)).toBe('1');
  expect(world.logs.join('')).not.toContain('rk_test_restricted');
}, 90_000);

it('a refused row waits longer each time, and is read once the permission is there', async () => {
  await world.database.purchase.deleteMany();
  await world.control('/faults', { mode: 'permission', permission: 'rak_charge_read', path: '/v1/charges' });
  await giveRefused(1);
  const row = () => world.database.purchase.findFirstOrThrow();
  const waits: number[] = [];
  for (let attempt = 1; attempt <= 4; attempt += 1) {
    const before = (await row()).recheckAttempts;
    await waitFor(
      async () =>
        (await row()).recheckAttempts > before && Number((await row()).recheckAt) > Date.now() + 15_000,
      {
        what: 'an attempt',
        timeoutMs: 30_000,
      },
    );
    const { id, recheckAt } = await row();
    waits.push(Number(recheckAt) - Date.now());
    await world.database.purchase.update({ where: { id }, data: { recheckAt: new Date() } });
  }
  // With jitter of a half: each third one is longer for certain.
  expect(waits[2]).toBeGreaterThan(waits[0] ?? 0);
  expect(waits[3]).toBeGreaterThan(waits[1] ?? 0);
  await world.control('/faults', { mode: 'none' });
  const { id } = await row();
  await world.database.purchase.update({ where: { id }, data: { recheckAt: new Date() } });
  // Stripe has no such charge: that is an answer.
  await waitFor(async () => (await row()).missingInStripeAt !== null, {
    what: 'the answer',
    timeoutMs: 30_000,
  });
  expect(await ready()).toMatchObject({ status: 200, body: { status: 'ready' } });
}, 120_000);

it('events of what is refused are applied as they are, unconfirmed', async () => {
  await world.control('/faults', {
    mode: 'permission',
    permission: 'rak_subscription_read',
    path: '/v1/subscriptions',
  });
  const id = uniqueId('sub');
  const of = (status: string) =>
    stripeEvent({ type: 'customer.subscription.updated', object: subscriptionObject({ id, status }) });
  expect(isHandledEventType(of('active').type)).toBe(true);
  await world.deliver(of('incomplete'), of('active'));
  expect(await world.database.subscription.findUniqueOrThrow({ where: { id } })).toMatchObject({
    status: 'active',
    confirmed: false,
  });
});
