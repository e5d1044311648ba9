import { toTimestamp } from '@billing/domain';
import {
  chargeObject,
  customerObject,
  paymentIntentObject,
  periodEnd,
  periodStart,
  sessionObject,
  stripeEvent,
  subscriptionObject,
} from '@billing/testing';
import { startTestWorker } from './support/start-test-worker.test-support.ts';
import type { TestWorker } from './support/start-test-worker.test-support.ts';

let world: TestWorker;
beforeAll(async () => {
  world = await startTestWorker();
});
afterAll(() => world.close());

const during = (periodStart + 1000) * 1000;
const codes = async (at = during, user = 'ann') =>
  (await world.features(at, user)).map((entitlement) => entitlement.featureCode);

const bought = { user_id: 'ann', project_id: 'shop', price_id: 'our_once', quantity: '1' };

describe('a subscription', () => {
  const sub = 'sub_plain';
  it('is created, updated and deleted', async () => {
    const created = stripeEvent({
      type: 'customer.subscription.created',
      object: subscriptionObject({ id: sub, status: 'incomplete' }),
      created: periodStart,
    });
    await world.deliver(created);
    expect(await world.outcomeOf(created)).toBe('applied');
    expect(await codes()).toEqual([]);

    const updated = stripeEvent({
      type: 'customer.subscription.updated',
      object: subscriptionObject({ id: sub, status: 'active' }),
      created: periodStart + 5,
    });
    const before = await world.versionOf();
    await world.deliver(updated);
    const [entitlement] = await world.features(during);
    expect(entitlement).toMatchObject({ featureCode: 'pro', source: 'subscription', confirmed: true });
    expect(toTimestamp(entitlement?.currentPeriodEnd ?? 0)).toBe(toTimestamp(periodEnd * 1000));
    expect(Number(await world.versionOf())).toBe(Number(before) + 1);

    const deleted = stripeEvent({
      type: 'customer.subscription.deleted',
      object: subscriptionObject({ id: sub, status: 'canceled', endedAt: periodStart + 10 }),
      created: periodStart + 10,
    });
    await world.deliver(deleted);
    expect(await codes()).toEqual([]);

    const late = stripeEvent({
      type: 'customer.subscription.updated',
      object: subscriptionObject({ id: sub, status: 'active' }),
      created: periodStart + 7,
    });
    await world.deliver(late);
    expect(await world.outcomeOf(late)).toBe('stale');
    expect(await codes()).toEqual([]);
  });

  it('keeps one ledger row and one effect of fifty deliveries', async () => {
    const event = stripeEvent({
      type: 'customer.subscription.created',
      object: subscriptionObject({ id: 'sub_fifty' }),
    });
    const before = Number(await world.versionOf());
    await Promise.all(Array.from({ length: 50 }, (_, index) => world.enqueue(event, `${event.id}-${index}`)));
    await world.idle();
    expect((await world.ledger()).filter((row) => row.eventId === event.id)).toHaveLength(1);
    expect(Number(await world.versionOf())).toBe(before + 1);
    const [row] = await world.database.subscription.findMany({ where: { id: 'sub_fifty' } });
    expect(row?.rowVersion).toBe(1n);
  });
});

const names = (n: number) => ({ pi: `pi_${n}`, cs: `cs_${n}`, ch: `ch_${n}` });

const eventsOf = (n: number) => {
  const { pi, cs, ch } = names(n);
  return [
    stripeEvent({
      type: 'checkout.session.completed',
      object: sessionObject({ id: cs, paymentIntent: pi, metadata: bought }),
    }),
    stripeEvent({
      type: 'payment_intent.succeeded',
      object: paymentIntentObject({ id: pi, metadata: bought }),
    }),
    stripeEvent({
      type: 'charge.succeeded',
      object: chargeObject({ id: ch, paymentIntent: pi, metadata: bought }),
    }),
  ];
};

describe('a purchase', () => {
  it.each([
    [1, [0, 1, 2]],
    [2, [0, 2, 1]],
    [3, [1, 0, 2]],
    [4, [1, 2, 0]],
    [5, [2, 0, 1]],
    [6, [2, 1, 0]],
  ])('is made once by session, PaymentIntent and charge, order %i', async (n, order) => {
    const all = eventsOf(n);
    await world.deliver(...order.flatMap((index) => all[index] ?? []));
    const rows = await world.database.purchase.findMany({
      where: { id: names(n).pi },
      include: { items: true },
    });
    expect(rows).toMatchObject([
      {
        status: 'paid',
        sessionId: names(n).cs,
        amount: 4900n,
        items: [{ stripePriceId: 'price_once', quantity: 1n }],
      },
    ]);
    expect(await world.database.purchase.count({ where: { id: names(n).cs } })).toBe(0);
    expect(await codes()).toContain('export');
  });

  it('is taken back by a refund', async () => {
    const before = await codes();
    for (const n of [1, 2, 3, 4, 5, 6]) {
      const { pi, ch } = names(n);
      const charge = chargeObject({ id: ch, paymentIntent: pi, metadata: bought, amountRefunded: 4900 });
      await world.deliver(
        stripeEvent({ type: 'charge.refunded', object: charge, created: periodStart + 60 }),
      );
    }
    expect(before).toContain('export');
    expect(await codes()).not.toContain('export');
  });
});

describe('what is not ours', () => {
  it.each([
    ['another mode', { isLive: true }, 'ignored:other_mode'],
    ['another account', { account: 'acct_other' }, 'ignored:other_account'],
  ])('is recorded and leaves no trace: %s', async (_, parts, outcome) => {
    const object = subscriptionObject({ id: 'sub_stranger' });
    const event = stripeEvent({ type: 'customer.subscription.created', object, ...parts });
    await world.deliver(event);
    expect(await world.outcomeOf(event)).toBe(outcome);
    expect(await world.database.subscription.count({ where: { id: 'sub_stranger' } })).toBe(0);
  });

  it.each([
    ['an id with a NUL', subscriptionObject({ id: 'sub_\0' })],
    ['a customer with a NUL', subscriptionObject({ id: 'sub_nul', customer: 'cus_\0' })],
    ['a lone surrogate', subscriptionObject({ id: 'sub_\uD800' })],
    ['an unknown status', subscriptionObject({ id: 'sub_x', status: 'dormant' })],
    ['a moment that is none', { ...subscriptionObject({ id: 'sub_x' }), cancel_at: 'soon' }],
    ['no id', { object: 'subscription' }],
    ['another object', customerObject()],
  ])('is quarantined: %s', async (_, object) => {
    const event = stripeEvent({ type: 'customer.subscription.created', object });
    await world.deliver(event);
    expect(await world.outcomeOf(event)).toBe('quarantined:invalid_object');
  });

  it('leaves a tombstone of a deleted customer', async () => {
    const event = stripeEvent({ type: 'customer.deleted', object: customerObject({ id: 'cus_1' }) });
    await world.deliver(event);
    expect(await world.outcomeOf(event)).toBe('applied');
    const row = await world.database.customer.findUnique({ where: { stripeCustomerId: 'cus_1' } });
    expect(row?.deletedAt).not.toBeNull();
    expect(row?.userRef).not.toBeNull();
  });
});
