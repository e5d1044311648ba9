import { readFileSync } from 'node:fs';
import { isHandledEventType, reconcileResult } from '@billing/domain';
import { requestReconcile } from '@billing/store';
import { chargeObject, invoiceObject, sessionObject, stripeEvent, waitFor } from '@billing/testing';
import { startTestWorker, uniqueId } from './support/start-test-worker.test-support.ts';
import type { TestWorker } from './support/start-test-worker.test-support.ts';
import { startJourney } from './support/stripe-journey.test-support.ts';

let world: TestWorker;
beforeAll(async () => {
  world = await startTestWorker();
});
afterAll(() => world.close());

const codes = async (userId = 'ann') =>
  (await world.features(Date.now(), userId)).map((one) => one.featureCode);

/** A paid subscription whose events have all been heard; and its payment. */
async function subscribed() {
  const journey = await startJourney(world, 'subscription');
  await journey.map();
  await journey.pay();
  const handled = (await journey.history()).filter((event) => isHandledEventType(event.type));
  for (const event of handled) await world.enqueue(event);
  await world.idle();
  const [charge] = (await world.stripe.charges.list({ customer: journey.customerId })).data;
  const { id, latest_invoice: invoiceId } = await journey.subscription();
  const paymentId = charge?.payment_intent;
  if (typeof paymentId !== 'string' || typeof invoiceId !== 'string') throw new Error('nothing was paid');
  expect(await codes(journey.userId)).toEqual(['pro']);
  return { ...journey, subscriptionId: id, invoiceId, paymentId };
}

const money = {
  refunds: {},
  disputes: {},
  charge: { at: 0, amountRefunded: 4_900, isRead: true },
};
const olderRecord = { said: {}, lineItems: null, chargeAmount: 4_900, money };

describe('rows of an older version', () => {
  it('a refund whose invoice was never asked for is asked for, and then ends what it paid', async () => {
    const { userId, paymentId, invoiceId, subscriptionId } = await subscribed();
    await world.database.purchase.create({
      data: {
        id: paymentId,
        status: 'pending',
        invoiceId,
        amount: 4_900n,
        amountRefunded: 4_900n,
        record: olderRecord,
      },
    });
    await waitFor(async () => (await codes(userId)).length === 0, {
      what: 'the lookup of the invoice',
      timeoutMs: 30_000,
    });
    expect(await world.database.purchase.findUniqueOrThrow({ where: { id: paymentId } })).toMatchObject({
      subscriptionId,
      confirmed: true,
    });
  });

  it('a purchase that was taken for the payment of an invoice is a purchase again', async () => {
    const id = uniqueId('pi');
    const claim = {
      at: 1,
      eventId: 'evt_1',
      customerId: 'cus_1',
      claims: { projectId: 'shop', userId: 'ann' },
      amount: 4_900,
      currency: 'usd',
      items: [{ stripePriceId: 'price_once', quantity: 1 }],
    };
    await world.database.purchase.create({
      data: {
        id,
        status: 'paid',
        sessionId: uniqueId('cs'),
        stripeCustomerId: 'cus_1',
        invoiceId: 'in_of_session',
        amount: 4_900n,
        paidAt: new Date(1_000),
        record: { ...olderRecord, money: { ...money, charge: null }, said: { session: claim } },
        items: { create: [{ stripePriceId: 'price_once', quantity: 1n }] },
      },
    });
    await waitFor(async () => (await codes()).includes('export'), {
      what: 'the recheck',
      timeoutMs: 30_000,
    });
    expect(await world.database.purchase.findUniqueOrThrow({ where: { id } })).toMatchObject({
      invoiceId: null,
      receiptId: 'in_of_session',
    });
    await world.database.purchaseItem.deleteMany({ where: { purchaseId: id } });
    await world.database.purchase.delete({ where: { id } });
  });

  it('until then the migration lets a refund of the running period count as before', async () => {
    const { userId, paymentId, invoiceId, subscriptionId } = await subscribed();
    // Already due: the worker's own recheck leaves it alone meanwhile.
    const later = new Date(Date.now() + 3_600_000);
    const row = { status: 'pending', invoiceId, amount: 4_900n, amountRefunded: 4_900n, record: olderRecord };
    await world.database.purchase.create({ data: { ...row, id: paymentId, recheckAt: later } });
    await world.database.subscription.update({
      where: { id: subscriptionId },
      data: { periodInvoiceId: invoiceId },
    });
    expect(await codes(userId)).toEqual(['pro']);
    const path = '../../../prisma/migrations/20261128142000_what_payments_paid_for/migration.sql';
    const sql = readFileSync(new URL(path, import.meta.url), 'utf8');
    await world.database.$executeRawUnsafe(sql.slice(sql.indexOf('UPDATE')));
    expect(await codes(userId)).toEqual([]);
    const { record } = await world.database.purchase.findUniqueOrThrow({ where: { id: paymentId } });
    expect(record).toMatchObject({ invoice: { isAssumed: true, total: 4_900, subscriptionId } });
    await world.database.purchase.update({ where: { id: paymentId }, data: { recheckAt: null } });
    const isAssumed = async (): Promise<boolean> => {
      const found = await world.database.purchase.findUniqueOrThrow({ where: { id: paymentId } });
      return JSON.stringify(found.record).includes('isAssumed');
    };
    await waitFor(async () => !(await isAssumed()), { what: 'the lookup', timeoutMs: 30_000 });
    expect(await codes(userId)).toEqual([]);
  });
});

it('reconcile brings a refund of a subscription’s invoice that no event reported', async () => {
  const { userId, paymentId } = await subscribed();
  await world.stripe.refunds.create({ payment_intent: paymentId });
  expect(await codes(userId)).toEqual(['pro']);
  const actor = { name: 'tester', requestId: null };
  const { runId } = await requestReconcile(world.database, { dryRun: false, projectId: null }, actor);
  const run = await waitFor(
    async () => {
      const found = await world.database.run.findUniqueOrThrow({ where: { id: runId } });
      return found.status === 'running' ? null : found;
    },
    { what: 'the run', timeoutMs: 40_000 },
  );
  expect(run).toMatchObject({ status: 'done', error: null });
  expect(await codes(userId)).toEqual([]);
  expect(reconcileResult.parse(run.result).drift.map((one) => one.object_id)).toContain(paymentId);
}, 90_000);

describe('an event that means nothing for any purchase', () => {
  const count = () => world.database.purchase.count();

  it('costs no row: an invoice that sells nothing of any catalog, a renewal’s payment', async () => {
    const before = await count();
    const adHoc = { itemId: null, priceId: 'price_of_nobody' };
    const invoice = invoiceObject({ id: 'in_ad_hoc', subscription: null, lines: [adHoc] });
    const events = [
      stripeEvent({ type: 'invoice.paid', object: invoice }),
      stripeEvent({ type: 'charge.succeeded', object: chargeObject({ id: 'ch_r', paymentIntent: 'pi_r' }) }),
    ];
    await world.deliver(...events);
    for (const event of events) expect(await world.outcomeOf(event)).toBe('ignored:no_purchase');
    expect(await count()).toBe(before);
  });
});

it('an invoice that names our project waits for its price', async () => {
  const lines = [{ itemId: null, priceId: 'price_to_come' }];
  const metadata = { project_id: 'shop', user_id: 'zoe' };
  const object = invoiceObject({ id: 'in_wait', customer: 'cus_zoe', subscription: null, lines, metadata });
  const event = stripeEvent({ type: 'invoice.paid', object });
  await world.deliver(event);
  expect(await world.outcomeOf(event)).toBe('quarantined:unknown_price');
});

it('a session of ours that cannot be looked up counts as it was meant, unconfirmed', async () => {
  const metadata = { user_id: 'uma', project_id: 'shop', price_id: 'our_once', quantity: '1' };
  const parts = { id: 'cs_more', paymentIntent: 'pi_more', customer: null, metadata };
  const object = sessionObject({ ...parts, amountTotal: 9_800 });
  await world.deliver(stripeEvent({ type: 'checkout.session.completed', object }));
  expect(await world.features(Date.now(), 'uma')).toMatchObject([
    { featureCode: 'export', confirmed: false },
  ]);
});

describe('a session that leaves the money outstanding', () => {
  async function unpaid() {
    const journey = await startJourney(world, 'payment');
    await journey.map();
    await journey.pay({ payment_status: 'unpaid' });
    const completed = (await journey.history()).filter(({ type }) => type === 'checkout.session.completed');
    return { ...journey, completed };
  }
  const bringMoney = (id: string) =>
    world.control(`/checkout/sessions/${id}/settle`, { outcome: 'succeeded' });

  it('is paid where the money has come by then, whose event counted for nothing', async () => {
    const { userId, sessionId, completed, history } = await unpaid();
    await bringMoney(sessionId);
    const paid = (await history()).filter(({ type }) => type === 'payment_intent.succeeded');
    await world.deliver(...paid);
    for (const event of paid) expect(await world.outcomeOf(event)).toBe('ignored:no_purchase');
    await world.deliver(...completed);
    expect(await codes(userId)).toEqual(['export']);
  });

  it('is paid by an event without our metadata', async () => {
    const { userId, sessionId, completed, history } = await unpaid();
    await world.deliver(...completed);
    expect(await codes(userId)).toEqual([]);
    await bringMoney(sessionId);
    await world.deliver(...(await history()).filter(({ type }) => type === 'payment_intent.succeeded'));
    expect(await codes(userId)).toEqual(['export']);
  });

  it('is looked at once more a minute later, in case another process decided that event meanwhile', async () => {
    const { userId, sessionId, completed } = await unpaid();
    await world.deliver(...completed);
    const row = () => world.database.purchase.findFirstOrThrow({ where: { sessionId } });
    const { recheckAt, confirmed } = await row();
    expect(confirmed).toBe(true);
    expect(Number(recheckAt) - Date.now()).toBeGreaterThan(50_000);
    await bringMoney(sessionId);
    world.clock.offsetMs += 61_000;
    await waitFor(async () => (await codes(userId)).length > 0, {
      what: 'the second lookup',
      timeoutMs: 25_000,
    });
    expect(await row()).toMatchObject({ recheckAt: null, status: 'paid', confirmed: true });
  });
});
