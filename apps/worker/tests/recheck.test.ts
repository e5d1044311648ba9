import { isHandledEventType } from '@billing/domain';
import { periodStart, sessionObject, stripeEvent, subscriptionObject, waitFor } from '@billing/testing';
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

const row = (id: string) => world.database.subscription.findUniqueOrThrow({ where: { id } });
const now = () => Date.now();

async function handledHistory(journey: Journey) {
  return (await journey.history()).filter((event) => isHandledEventType(event.type));
}

describe('the events of one checkout', () => {
  it.each([1, 2, 3, 4, 5, 6])('end in the same state in any order, all at once: %i', async () => {
    const journey = await startJourney(world, 'subscription');
    await journey.map();
    await journey.pay();
    const events = await handledHistory(journey);
    expect(events.length).toBeGreaterThanOrEqual(5);
    await Promise.all(
      [...shuffled(events), ...shuffled(events)].map((event, index) =>
        world.enqueue(event, `${event.id}-${index}`),
      ),
    );
    await world.idle();
    const subscription = await journey.subscription();
    expect(await row(subscription.id)).toMatchObject({ status: 'active', confirmed: true, recheckAt: null });
    const [entitlement] = await world.features(now(), journey.userId);
    expect(entitlement).toMatchObject({ featureCode: 'pro', sourceId: subscription.id, confirmed: true });
    const known = new Set((await world.ledger()).map((entry) => entry.eventId));
    expect(events.filter((event) => !known.has(event.id))).toEqual([]);
  });

  it('make the state known from a session or an invoice alone', async () => {
    const journey = await startJourney(world, 'subscription');
    await journey.map();
    await journey.pay();
    const events = await handledHistory(journey);
    const named = events.filter((event) => event.type === 'checkout.session.completed');
    expect(named).toHaveLength(1);
    await world.deliver(...named);
    expect(await world.features(now(), journey.userId)).toMatchObject([{ featureCode: 'pro' }]);
    await world.deliver(...events);
    expect(await world.features(now(), journey.userId)).toMatchObject([{ featureCode: 'pro' }]);
  });
});

/** A subscription in Stripe, and snapshots of it that all carry the same second. */
async function tied() {
  const journey = await startJourney(world, 'subscription');
  await journey.map();
  await journey.pay();
  const subscription = await journey.subscription();
  const [item] = subscription.items.data;
  const of = (status: string) =>
    stripeEvent({
      type: 'customer.subscription.updated',
      object: subscriptionObject({
        id: subscription.id,
        customer: journey.customerId,
        status,
        items: [{ id: item?.id ?? '', priceId: journey.priceId }],
      }),
      created: subscription.created,
    });
  return { journey, subscription, of };
}

const goneIn = (status: string) =>
  stripeEvent({
    type: 'customer.subscription.updated',
    object: subscriptionObject({ id: 'sub_gone', status }),
  });

describe('two snapshots of one second', () => {
  it('are decided by a lookup', async () => {
    const { journey, subscription, of } = await tied();
    await world.deliver(of('past_due'), of('incomplete'));
    expect(await row(subscription.id)).toMatchObject({ status: 'active', confirmed: true });
    expect(await world.features(now(), journey.userId)).toMatchObject([{ featureCode: 'pro' }]);
  });

  it('are unconfirmed while Stripe is away, and rechecked when it is back', async () => {
    const { journey, subscription, of } = await tied();
    await world.control('/faults', { mode: '500' });
    await world.deliver(of('incomplete'), of('past_due'));
    const doubtful = await row(subscription.id);
    expect(doubtful).toMatchObject({ status: 'past_due', confirmed: false });
    expect(doubtful.recheckAt).not.toBeNull();
    expect(await world.features(now(), journey.userId)).toMatchObject([{ confirmed: false }]);
    await world.control('/faults', { mode: 'none' });
    await waitFor(async () => (await row(subscription.id)).confirmed, {
      what: 'the recheck',
      timeoutMs: 25_000,
    });
    expect(await row(subscription.id)).toMatchObject({ status: 'active', recheckAt: null });
  });

  it('stay the best that is known where Stripe does not have the object', async () => {
    await world.deliver(goneIn('past_due'), goneIn('active'));
    const kept = await row('sub_gone');
    expect(kept).toMatchObject({ status: 'past_due', confirmed: false, recheckAt: null });
    expect(kept.missingInStripeAt).not.toBeNull();
  });
});

describe('what is not known yet', () => {
  it('a customer: recorded, and released by the mapping with no call to Stripe', async () => {
    const { mapCustomer } = await import('@billing/store');
    const object = subscriptionObject({ id: 'sub_bob', customer: 'cus_bob' });
    const event = stripeEvent({ type: 'customer.subscription.created', object });
    await world.deliver(event);
    expect(await world.outcomeOf(event)).toBe('quarantined:unknown_customer');
    await mapCustomer(world.database, {
      projectId: 'shop',
      request: { user_id: 'bob', stripe_customer_id: 'cus_bob' },
      actor: { name: 'test', requestId: null },
    });
    expect(await world.outcomeOf(event)).toBe('applied');
    expect(await world.features(periodStart * 1000 + 1, 'bob')).toMatchObject([{ featureCode: 'pro' }]);
  });

  it('a customer, but the metadata names the user', async () => {
    const metadata = { user_id: 'carol', project_id: 'shop' };
    const object = subscriptionObject({ id: 'sub_carol', customer: 'cus_carol', metadata });
    const event = stripeEvent({ type: 'customer.subscription.created', object });
    await world.deliver(event);
    expect(await world.outcomeOf(event)).toBe('applied');
    expect(await world.features(periodStart * 1000 + 1, 'carol')).toMatchObject([{ featureCode: 'pro' }]);
  });

  it('a project', async () => {
    const metadata = { user_id: 'dora', project_id: 'nowhere' };
    const object = subscriptionObject({ id: 'sub_dora', customer: 'cus_dora', metadata });
    const event = stripeEvent({ type: 'customer.subscription.created', object });
    await world.deliver(event);
    expect(await world.outcomeOf(event)).toBe('quarantined:unknown_project');
  });

  it('a price: the row has its user nevertheless', async () => {
    const object = subscriptionObject({ id: 'sub_new_price', items: [{ priceId: 'price_new' }] });
    const event = stripeEvent({ type: 'customer.subscription.created', object });
    await world.deliver(event);
    expect(await world.outcomeOf(event)).toBe('quarantined:unknown_price');
    expect((await row('sub_new_price')).userRef).not.toBeNull();
  });

  it('metadata that names another user than our mapping loses', async () => {
    const metadata = { user_id: 'mallory', project_id: 'shop' };
    const object = subscriptionObject({ id: 'sub_contested', metadata });
    const event = stripeEvent({ type: 'customer.subscription.created', object });
    await world.deliver(event);
    expect(await world.features(periodStart * 1000 + 1, 'mallory')).toEqual([]);
    const metrics = await world.worker().deps.metrics.registry.metrics();
    expect(metrics).toMatch(/identity_conflicts_total [1-9]/);
  });
});

describe('a session without metadata', () => {
  it('has its line items looked up, and a refund that came before it counts', async () => {
    const journey = await startJourney(world, 'payment', { client_reference_id: 'erin' });
    await journey.pay();
    const events = await handledHistory(journey);
    const charge = events.find((event) => event.type === 'charge.succeeded');
    expect(charge).toBeDefined();
    const { payment_intent: paymentIntentId } = await world.stripe.checkout.sessions.retrieve(
      journey.sessionId,
    );
    if (typeof paymentIntentId !== 'string') throw new Error('the session has no PaymentIntent');
    await world.stripe.refunds.create({ payment_intent: paymentIntentId });
    const refunds = (await handledHistory(journey)).filter((event) => event.type === 'charge.refunded');
    expect(refunds).toHaveLength(1);
    await world.deliver(...refunds);
    for (const refund of refunds) expect(await world.outcomeOf(refund)).toBe('ignored:no_purchase');
    await world.deliver(...events);
    const purchase = await world.database.purchase.findUniqueOrThrow({
      where: { id: paymentIntentId },
      include: { items: true },
    });
    expect(purchase).toMatchObject({ status: 'paid', amountRefunded: 4900n });
    expect(purchase.items).toMatchObject([{ stripePriceId: journey.priceId }]);
    expect(await world.features(now(), 'erin')).toEqual([]);
  });

  it('waits for them while Stripe is away', async () => {
    const journey = await startJourney(world, 'payment', { client_reference_id: 'frank' });
    await journey.pay();
    const events = await handledHistory(journey);
    await world.control('/faults', { mode: '429' });
    await world.deliver(...events.filter((event) => event.type.startsWith('checkout.session')));
    expect(await world.features(now(), 'frank')).toEqual([]);
    await world.control('/faults', { mode: 'none' });
    await waitFor(async () => (await world.features(now(), 'frank')).length === 1, {
      what: 'the recheck',
      timeoutMs: 25_000,
    });
  });

  it('that is paid later gives its features then, and never if it fails', async () => {
    const metadata = { user_id: 'ann', project_id: 'shop', price_id: 'our_once', quantity: '1' };
    const late = (type: string, paymentStatus: 'paid' | 'unpaid', paymentIntent: string) =>
      stripeEvent({
        type,
        object: sessionObject({ id: `cs_${paymentIntent}`, paymentIntent, paymentStatus, metadata }),
      });
    const statusOf = async (id: string) =>
      (await world.database.purchase.findUniqueOrThrow({ where: { id } })).status;
    await world.deliver(late('checkout.session.completed', 'unpaid', 'pi_late'));
    expect(await statusOf('pi_late')).toBe('pending');
    await world.deliver(late('checkout.session.async_payment_succeeded', 'paid', 'pi_late'));
    expect(await statusOf('pi_late')).toBe('paid');
    await world.deliver(late('checkout.session.async_payment_failed', 'unpaid', 'pi_never'));
    await world.deliver(late('checkout.session.completed', 'unpaid', 'pi_never'));
    expect(await statusOf('pi_never')).toBe('failed');
  });
});

describe('a renewal', () => {
  it('moves the period on', async () => {
    const journey = await startJourney(world, 'subscription');
    await journey.map();
    await journey.pay();
    const before = await journey.subscription();
    await world.control('/clock', { advance_seconds: 32 * 86_400 });
    await world.enqueue({ id: 'evt_noop', type: 'product.created' });
    for (const event of shuffled(await handledHistory(journey))) await world.enqueue(event);
    await world.idle();
    const after = await journey.subscription();
    const endOf = (one: typeof before) => one.items.data[0]?.current_period_end ?? 0;
    expect(endOf(after)).toBeGreaterThan(endOf(before));
    const [entitlement] = await world.features(now(), journey.userId);
    expect(entitlement?.currentPeriodEnd).toBe(endOf(after) * 1000);
  });
});
