import { isHandledEventType } from '@billing/domain';
import {
  chargeObject,
  disputeObject,
  periodStart,
  refundObject,
  stripeEvent,
  subscriptionObject,
} from '@billing/testing';
import { startTestWorker } from './support/start-test-worker.test-support.ts';
import type { TestWorker } from './support/start-test-worker.test-support.ts';
import { shuffled, startJourney } from './support/stripe-journey.test-support.ts';
import type { Journey } from './support/stripe-journey.test-support.ts';

let world: TestWorker;
beforeAll(async () => {
  world = await startTestWorker();
});
afterEach(() => world.control('/faults', { mode: 'none' }));
afterAll(() => world.close());

const dayMs = 86_400_000;
const codes = async (userId: string, at = Date.now()) =>
  (await world.features(at, userId)).map((one) => one.featureCode);

/** Delivers what happened since the last time, in any order and twice. */
function follow(journey: Journey) {
  const known = new Set<string>();
  return async (): Promise<void> => {
    const { data: charges } = await world.stripe.charges.list({ customer: journey.customerId });
    // A dispute names the charge alone.
    const names = [journey.customerId, ...charges.map((one) => one.id)];
    const all = await world.stripe.events.list({ limit: 100 }).autoPagingToArray({ limit: 5_000 });
    const events = all.filter((event) => {
      const rendered = JSON.stringify(event.data.object);
      const isMine = names.some((name) => rendered.includes(name));
      return isMine && isHandledEventType(event.type) && !known.has(event.id);
    });
    for (const { id } of events) known.add(id);
    const twice = [...shuffled(events), ...shuffled(events)];
    await Promise.all(twice.map((event, index) => world.enqueue(event, `${event.id}-${index}`)));
    await world.idle();
  };
}

async function bought(mode: 'payment' | 'subscription') {
  const journey = await startJourney(world, mode);
  await journey.map();
  await journey.pay();
  const catchUp = follow(journey);
  await catchUp();
  const charges = async () => (await world.stripe.charges.list({ customer: journey.customerId })).data;
  const [charge] = await charges();
  if (charge === undefined) throw new Error('nothing was charged');
  return { journey, userId: journey.userId, catchUp, charge, charges };
}

const about = (status: string, id: string, created: number) =>
  stripeEvent({
    type: 'charge.dispute.updated',
    object: disputeObject({ id, status, paymentIntent: 'pi_d', charge: 'ch_d' }),
    created,
  });

describe('a purchase', () => {
  it('ends with a full refund, and returns when the refund fails', async () => {
    const { userId, catchUp, charge } = await bought('payment');
    expect(await codes(userId)).toEqual(['export']);
    const refund = await world.stripe.refunds.create({ charge: charge.id });
    await catchUp();
    expect(await codes(userId)).toEqual([]);
    await world.control(`/refunds/${refund.id}/fail`);
    await catchUp();
    expect(await codes(userId)).toEqual(['export']);
  });

  it('ends as Stripe has it where all of that arrives at once', async () => {
    const { userId, catchUp, charge } = await bought('payment');
    const refund = await world.stripe.refunds.create({ charge: charge.id, amount: 3_000 });
    await world.control(`/refunds/${refund.id}/fail`);
    await world.stripe.refunds.create({ charge: charge.id, amount: 1_000 });
    await catchUp();
    const purchase = await world.database.purchase.findFirstOrThrow({ where: { chargeId: charge.id } });
    expect(purchase).toMatchObject({ amountRefunded: 1_000n, confirmed: true, recheckAt: null });
    expect(await codes(userId)).toEqual(['export']);
  });

  it.each([
    [1, 4_899, ['export']],
    [1, 4_900, []],
    [0.5, 2_449, ['export']],
    [0.5, 2_450, []],
    [0, 1, []],
  ])('threshold %d, %d of 4900 refunded', async (threshold, amount, left) => {
    const { userId, catchUp, charge } = await bought('payment');
    const policy = { partial_refund_threshold: threshold };
    await world.database.project.update({ where: { id: 'shop' }, data: { policy } });
    await world.stripe.refunds.create({ charge: charge.id, amount });
    await catchUp();
    expect(await codes(userId)).toEqual(left);
    await world.database.project.update({ where: { id: 'shop' }, data: { policy: {} } });
  });

  it.each([
    ['won', ['export']],
    ['lost', []],
  ])('is held by a dispute; %s', async (outcome, left) => {
    const { userId, catchUp, charge } = await bought('payment');
    await world.control(`/charges/${charge.id}/dispute`);
    await catchUp();
    expect(await codes(userId)).toEqual([]);
    const [dispute] = (await world.stripe.disputes.list({ charge: charge.id })).data;
    await world.control(`/disputes/${dispute?.id ?? ''}/close`, { status: outcome });
    await catchUp();
    expect(await codes(userId)).toEqual(left);
  });

  it('is not affected by an inquiry, nor by a dispute where the policy ignores them', async () => {
    const { userId, catchUp, charge } = await bought('payment');
    await world.control(`/charges/${charge.id}/dispute`, { status: 'warning_needs_response' });
    await catchUp();
    expect(await codes(userId)).toEqual(['export']);
    const other = await bought('payment');
    await world.control(`/charges/${other.charge.id}/dispute`);
    await other.catchUp();
    await world.database.project.update({ where: { id: 'shop' }, data: { policy: { dispute: 'ignore' } } });
    expect(await codes(other.userId)).toEqual(['export']);
    await world.database.project.update({ where: { id: 'shop' }, data: { policy: {} } });
    expect(await codes(other.userId)).toEqual([]);
  });

  it('is affected by the most serious of several disputes', async () => {
    const metadata = { user_id: 'ann', project_id: 'shop', price_id: 'our_once', quantity: '1' };
    const paid = chargeObject({ id: 'ch_d', paymentIntent: 'pi_d', metadata });
    await world.deliver(
      about('won', 'du_1', periodStart + 5),
      about('needs_response', 'du_1', periodStart + 1),
      stripeEvent({ type: 'charge.succeeded', object: paid }),
    );
    const row = () => world.database.purchase.findUniqueOrThrow({ where: { id: 'pi_d' } });
    expect(await row()).toMatchObject({ disputeStatus: 'won', status: 'paid' });
    await world.deliver(about('under_review', 'du_2', periodStart + 2));
    expect(await row()).toMatchObject({ disputeStatus: 'under_review' });
    await world.deliver(about('lost', 'du_2', periodStart + 2));
    expect(await row()).toMatchObject({ disputeStatus: 'lost' });
  });
});

describe('a subscription', () => {
  it('is suspended by a refund of its running period, until the next is paid', async () => {
    const { journey, userId, catchUp, charge } = await bought('subscription');
    expect(await codes(userId)).toEqual(['pro']);
    const before = await world.versionOf(userId);
    await world.stripe.refunds.create({ charge: charge.id });
    await catchUp();
    expect(await codes(userId)).toEqual([]);
    expect(await world.versionOf(userId)).toBeGreaterThan(before ?? 0n);
    await world.control('/clock', { advance_seconds: 31 * 86_400 });
    await catchUp();
    expect(await codes(userId, Date.now() + 31 * dayMs)).toEqual(['pro']);
    expect((await journey.subscription()).status).toBe('active');
  });

  it('is not affected by a refund or a dispute of an earlier period, nor by a partial one', async () => {
    const { userId, catchUp, charge, charges } = await bought('subscription');
    await world.control('/clock', { advance_seconds: 31 * 86_400 });
    await catchUp();
    await world.stripe.refunds.create({ charge: charge.id });
    const later = (await charges()).find((one) => one.id !== charge.id);
    await world.stripe.refunds.create({ charge: later?.id ?? '', amount: 100 });
    await catchUp();
    expect(await codes(userId, Date.now() + 62 * dayMs)).toEqual(['pro']);
    await world.control(`/charges/${later?.id ?? ''}/dispute`);
    await catchUp();
    expect(await codes(userId, Date.now() + 62 * dayMs)).toEqual([]);
  });

  it('keeps what another source still grants', async () => {
    const { userId, catchUp, charge } = await bought('subscription');
    const user = await world.database.user.findUniqueOrThrow({
      where: { projectId_userId: { projectId: 'shop', userId } },
    });
    await world.database.grant.create({
      data: {
        id: `grant_${userId}`,
        userRef: user.id,
        featureCode: 'pro',
        validFrom: new Date(0),
        reason: 'goodwill',
        grantedBy: 'test',
      },
    });
    await world.stripe.refunds.create({ charge: charge.id });
    await catchUp();
    expect(await world.features(Date.now(), userId)).toMatchObject([
      { featureCode: 'pro', source: 'manual' },
    ]);
  });

  it('finds its payment by the charge in old renderings, whatever comes first', async () => {
    const journey = await startJourney(world, 'subscription');
    await journey.map();
    await journey.pay();
    const { id, latest_invoice: invoice, items } = await journey.subscription();
    const [charge] = (await world.stripe.charges.list({ customer: journey.customerId })).data;
    const [item] = items.data;
    const { payment_intent: paymentIntent } = charge ?? {};
    if (
      charge === undefined ||
      item === undefined ||
      typeof invoice !== 'string' ||
      typeof paymentIntent !== 'string'
    )
      throw new Error('nothing was paid');
    const parts = {
      id: charge.id,
      customer: journey.customerId,
      paymentIntent,
      invoice,
      amountRefunded: 4_900,
    };
    const { current_period_start: start, current_period_end: end } = item;
    const state = { id, customer: journey.customerId, latestInvoice: invoice };
    const whole = { ...state, items: [{ id: item.id, priceId: journey.priceId, start, end }] };
    const refund = stripeEvent({
      type: 'charge.refunded',
      object: chargeObject(parts, 'acacia'),
      created: charge.created + 9,
      shape: 'acacia',
    });
    await world.deliver(
      refund,
      stripeEvent({
        type: 'customer.subscription.created',
        object: subscriptionObject(whole, 'acacia'),
        created: charge.created + 1,
        shape: 'acacia',
      }),
    );
    expect(await world.outcomeOf(refund)).toBe('applied');
    expect(await codes(journey.userId)).toEqual([]);
    const failed = refundObject({
      paymentIntent,
      charge: charge.id,
      status: 'failed',
      created: charge.created + 9,
    });
    await world.deliver(stripeEvent({ type: 'refund.failed', object: failed, created: charge.created + 20 }));
    expect(await codes(journey.userId)).toEqual(['pro']);
  });
});

describe('a refund that needs a lookup', () => {
  const metadata = { user_id: 'ann', project_id: 'shop', price_id: 'our_once', quantity: '1' };
  const tied = (intent: string) => [
    stripeEvent({
      type: 'charge.refunded',
      object: chargeObject({ id: `ch_${intent}`, paymentIntent: intent, amountRefunded: 4_900, metadata }),
    }),
    stripeEvent({
      type: 'refund.failed',
      object: refundObject({
        id: `re_${intent}`,
        charge: `ch_${intent}`,
        paymentIntent: intent,
        status: 'failed',
      }),
    }),
  ];

  it('keeps the best that is known where Stripe does not have the charge', async () => {
    const rows = [];
    for (const [index, order] of [tied('pi_a'), tied('pi_b').reverse()].entries()) {
      await world.deliver(...order);
      rows.push(
        await world.database.purchase.findUniqueOrThrow({ where: { id: index === 0 ? 'pi_a' : 'pi_b' } }),
      );
    }
    for (const row of rows)
      expect(row).toMatchObject({ amountRefunded: 0n, confirmed: false, recheckAt: null });
    expect(rows.every((row) => row.missingInStripeAt !== null)).toBe(true);
  });

  it('is rechecked once Stripe is back', async () => {
    await world.control('/faults', { mode: '500' });
    await world.deliver(...tied('pi_c'));
    const row = () => world.database.purchase.findUniqueOrThrow({ where: { id: 'pi_c' } });
    expect(await row()).toMatchObject({ confirmed: false });
    expect((await row()).recheckAt).not.toBeNull();
  });
});

describe('a deleted customer', () => {
  it('loses the subscriptions whose own end never came', async () => {
    const { journey, userId } = await bought('subscription');
    const { id } = await journey.subscription();
    await world.stripe.customers.del(journey.customerId);
    const deleted = (await journey.history()).filter((event) => event.type === 'customer.deleted');
    expect(deleted).toHaveLength(1);
    await world.deliver(...deleted);
    const { waitFor } = await import('@billing/testing');
    await waitFor(
      async () => {
        const row = await world.database.subscription.findUniqueOrThrow({ where: { id } });
        return row.status === 'canceled';
      },
      { what: 'the lookup of the end', timeoutMs: 20_000 },
    );
    expect(await codes(userId)).toEqual([]);
    await world.deliver(
      stripeEvent({ type: 'customer.updated', object: { id: journey.customerId, object: 'customer' } }),
    );
    const late = subscriptionObject({ id, customer: journey.customerId, status: 'active' });
    await world.deliver(
      stripeEvent({ type: 'customer.subscription.updated', object: late, created: 1_999_999_999 }),
    );
    expect(await codes(userId)).toEqual([]);
  });
});
