import {
  chargeObject,
  invoiceObject,
  paymentIntentObject,
  periodStart,
  sessionObject,
  stripeEvent,
  stripeShapes,
  subscriptionObject,
} from '@billing/testing';
import type { StripeShape } from '@billing/testing';
import { startTestWorker } from './support/start-test-worker.test-support.ts';
import type { TestWorker } from './support/start-test-worker.test-support.ts';
import { shuffled } from './support/stripe-journey.test-support.ts';

let world: TestWorker;
beforeAll(async () => {
  world = await startTestWorker();
});
afterAll(() => world.close());

const at = periodStart * 1000 + 1;
const own = { user_id: 'ann', project_id: 'shop', price_id: 'our_once', quantity: '3' };
const purchase = (id: string) =>
  world.database.purchase.findUniqueOrThrow({ where: { id }, include: { items: true } });

const delayed = (type: string, paymentStatus: 'paid' | 'unpaid') =>
  stripeEvent({
    type,
    object: sessionObject({ id: 'cs_lf', paymentIntent: 'pi_lf', paymentStatus, metadata: own }),
  });

const about = (id: string, customer: string, metadata: Record<string, string> = {}) =>
  stripeEvent({
    type: 'customer.subscription.created',
    object: subscriptionObject({ id, customer, metadata, latestInvoice: null }),
  });

/** What one history leaves when it is rendered in a shape, without the ids that differ. */
async function rowsOf(shape: StripeShape) {
  const name = `_${shape}`;
  const tell = (type: string, object: object) => stripeEvent({ type, object, shape, created: periodStart });
  await world.deliver(
    tell(
      'customer.subscription.created',
      subscriptionObject({ id: `sub${name}`, latestInvoice: `in${name}`, cancelAt: periodStart + 99 }, shape),
    ),
    tell('invoice.paid', invoiceObject({ id: `in${name}`, subscription: `sub${name}` }, shape)),
    tell('payment_intent.succeeded', paymentIntentObject({ id: `pi${name}`, metadata: own }, shape)),
    tell(
      'charge.refunded',
      chargeObject({ id: `ch${name}`, paymentIntent: `pi${name}`, amountRefunded: 5, metadata: own }, shape),
    ),
  );
  const subscription = await world.database.subscription.findUniqueOrThrow({
    where: { id: `sub${name}` },
    include: { items: true },
  });
  const rows = JSON.stringify([subscription, await purchase(`pi${name}`)], (key, value: unknown) => {
    if (key === 'createdAt' || key === 'updatedAt' || key === 'eventId' || key === 'snapshotEventId')
      return null;
    return typeof value === 'bigint' ? Number(value) : value;
  });
  return JSON.parse(rows.replaceAll(name, '_SHAPE')) as unknown;
}

describe('one payment is one purchase', () => {
  it('whichever of session, PaymentIntent and charge comes first, with the same row each time', async () => {
    const rows = [];
    for (const round of ['round1', 'round2', 'round3', 'round4', 'round5']) {
      const id = `pi_once_${round}`;
      const charge = `ch_once_${round}`;
      const events = [
        stripeEvent({
          id: `evt_a_${round}`,
          type: 'charge.succeeded',
          object: chargeObject({ id: charge, paymentIntent: id, metadata: own }),
        }),
        stripeEvent({
          id: `evt_b_${round}`,
          type: 'payment_intent.succeeded',
          object: paymentIntentObject({ id, charge, metadata: own }),
          created: periodStart + 1,
        }),
        stripeEvent({
          id: `evt_c_${round}`,
          type: 'checkout.session.completed',
          object: sessionObject({
            id: `cs_once_${round}`,
            paymentIntent: id,
            metadata: own,
            amountTotal: 3 * 4900,
          }),
          created: periodStart + 1,
        }),
      ];
      await world.deliver(...shuffled(events));
      const { createdAt: _made, updatedAt: _changed, rowVersion: _version, ...row } = await purchase(id);
      const named = JSON.stringify(row, (_, value: unknown) =>
        typeof value === 'bigint' ? Number(value) : value,
      );
      rows.push(JSON.parse(named.replaceAll(`_${round}`, '_N')) as unknown);
    }
    for (const row of rows) expect(row).toEqual(rows[0]);
    expect(await purchase('pi_once_round1')).toMatchObject({
      status: 'paid',
      snapshotEventId: 'evt_c_round1',
      paidAt: new Date(periodStart * 1000),
      items: [{ stripePriceId: 'price_once', quantity: 3n }],
    });
  });

  it('and a free one is keyed by its session', async () => {
    const object = sessionObject({
      id: 'cs_free',
      paymentIntent: null,
      paymentStatus: 'no_payment_required',
      amountTotal: 0,
      metadata: { ...own, price_id: 'price_once' },
    });
    await world.deliver(stripeEvent({ type: 'checkout.session.completed', object }));
    expect(await purchase('cs_free')).toMatchObject({
      status: 'paid',
      items: [{ stripePriceId: 'price_once' }],
    });
  });

  it.each([
    [
      'a charge without metadata',
      'charge.succeeded',
      chargeObject({ id: 'ch_n1', paymentIntent: 'pi_n1' }),
      'endive',
    ],
    [
      'a PaymentIntent without metadata',
      'payment_intent.succeeded',
      paymentIntentObject({ id: 'pi_n2' }),
      'endive',
    ],
    [
      'a charge with the metadata of a subscription',
      'charge.succeeded',
      chargeObject({ id: 'ch_n4', paymentIntent: 'pi_n4', metadata: { ...own, price_id: 'our_sub' } }),
      'endive',
    ],
  ] as const)('%s buys nothing', async (_what, type, object, shape) => {
    const event = stripeEvent({ type, object, shape });
    const before = await world.features(at);
    await world.deliver(event);
    expect(await world.outcomeOf(event)).toBe('ignored:no_purchase');
    expect(await world.features(at)).toEqual(before);
  });

  it('an old charge with an invoice buys nothing, unless the invoice turns out to be no subscription’s', async () => {
    const parts = { id: 'ch_n3', paymentIntent: 'pi_n3', invoice: 'in_n', metadata: own };
    const event = stripeEvent({
      type: 'charge.succeeded',
      object: chargeObject(parts, 'acacia'),
      shape: 'acacia',
    });
    const before = await world.features(at);
    await world.deliver(event);
    // Stripe does not have the invoice.
    expect(await world.outcomeOf(event)).toBe('applied');
    expect(await world.features(at)).toEqual(before);
  });

  it('a delayed payment that fails takes nothing that was given', async () => {
    await world.deliver(
      delayed('checkout.session.async_payment_failed', 'unpaid'),
      delayed('checkout.session.async_payment_succeeded', 'paid'),
      delayed('checkout.session.completed', 'unpaid'),
    );
    expect(await purchase('pi_lf')).toMatchObject({ status: 'paid' });
  });
});

describe('the owner', () => {
  it('is the mapped user of the customer, also of a subscription made in the dashboard', async () => {
    const event = about('sub_hand', 'cus_1');
    await world.deliver(event);
    expect(await world.outcomeOf(event)).toBe('applied');
    expect((await world.features(at)).map((one) => one.sourceId)).toContain('sub_hand');
  });

  it('is client_reference_id in the project of the price, once the subscription is known', async () => {
    const created = about('sub_ref', 'cus_ref');
    const session = stripeEvent({
      type: 'checkout.session.completed',
      object: sessionObject({
        id: 'cs_ref',
        mode: 'subscription',
        customer: 'cus_ref',
        subscription: 'sub_ref',
        clientReferenceId: 'gail',
      }),
    });
    await world.deliver(created);
    expect(await world.outcomeOf(created)).toBe('quarantined:unknown_customer');
    await world.deliver(session);
    expect(await world.features(at, 'gail')).toMatchObject([{ featureCode: 'pro', sourceId: 'sub_ref' }]);
    expect(await world.outcomeOf(created)).toBe('applied');
  });

  it.each([
    ['a control character', { user_id: 'a\u0001b', project_id: 'shop' }],
    ['a NUL', { user_id: 'a\0b', project_id: 'shop' }],
    ['too long', { user_id: 'x'.repeat(257), project_id: 'shop' }],
  ])('is unknown where the metadata holds no id: %s', async (what, metadata) => {
    const event = about(`sub_bad_${what.length}`, `cus_bad_${what.length}`, metadata);
    await world.deliver(event);
    expect(await world.outcomeOf(event)).toBe('quarantined:unknown_customer');
  });

  it('stays when the metadata is removed, in either order', async () => {
    const claim = { user_id: 'hugo', project_id: 'shop' };
    for (const order of [0, 1]) {
      const named = about(`sub_meta_${order}`, 'cus_meta', claim);
      const later = stripeEvent({
        type: 'customer.subscription.updated',
        object: subscriptionObject({ id: `sub_meta_${order}`, customer: 'cus_meta' }),
        created: periodStart + 9,
      });
      await world.deliver(...(order === 0 ? [named, later] : [later, named]));
      const row = await world.database.subscription.findUniqueOrThrow({
        where: { id: `sub_meta_${order}` },
        include: { user: true },
      });
      expect(row.user).toMatchObject({ userId: 'hugo' });
    }
  });
});

describe('one history in every shape', () => {
  it('makes the same rows', async () => {
    const today = await rowsOf('endive');
    for (const shape of stripeShapes.filter((one) => one !== 'endive')) {
      expect(await rowsOf(shape)).toEqual(today);
    }
    const metrics = await world.worker().deps.metrics.registry.metrics();
    expect(metrics).toMatch(/webhook_events_api_version_total\{.*version="basil".*\} [1-9]/);
  });
});
