import type Stripe from 'stripe';

import { seed, startOffline, subscribe, until, type Catalog, type Offline } from './harness.test-support.ts';

const day = 86_400;
let offline: Offline;
let catalog: Catalog;
beforeEach(async () => {
  offline = await startOffline();
  catalog = await seed(offline.stripe);
});
afterEach(() => offline.close());

function allEvents(): Promise<Stripe.Event[]> {
  return offline.stripe.events.list({ limit: 100 }).autoPagingToArray({ limit: 5_000 });
}

/** Runs something and returns the events it made, oldest first. */
async function eventsOf(run: () => Promise<unknown>): Promise<Stripe.Event[]> {
  const before = (await allEvents()).length;
  await run();
  return (await allEvents()).reverse().slice(before);
}

function typesOf(events: Stripe.Event[]): string[] {
  return events.map((event) => event.type);
}

function periodOf(subscription: Stripe.Subscription): { start: number; end: number } {
  const [item] = subscription.items.data;
  return { start: item?.current_period_start ?? 0, end: item?.current_period_end ?? 0 };
}

test('a renewal moves the period, bills it and carries its own time', async () => {
  const subscription = await subscribe(offline, catalog);
  const { end } = periodOf(subscription);
  const events = await eventsOf(() => offline.control('clock', { to: end + 10 }));
  expect(typesOf(events)).toEqual([
    'customer.subscription.updated',
    'invoice.created',
    'invoice.finalized',
    'payment_intent.created',
    'payment_intent.succeeded',
    'charge.succeeded',
    'invoice.paid',
    'invoice.payment_succeeded',
    'invoice_payment.paid',
  ]);
  expect(new Set(events.map((event) => event.created))).toEqual(new Set([end]));
  expect(events[0]?.data).toMatchObject({
    previous_attributes: { latest_invoice: subscription.latest_invoice },
  });
  const renewed = await offline.stripe.subscriptions.retrieve(subscription.id);
  expect(periodOf(renewed).start).toBe(end);
  const invoices = await offline.stripe.invoices.list({ subscription: subscription.id });
  expect(invoices.data.map((invoice) => invoice.billing_reason)).toEqual([
    'subscription_cycle',
    'subscription_create',
  ]);
});

test('a year of months renews twelve times, on the same day', async () => {
  const subscription = await subscribe(offline, catalog);
  await offline.advance(366 * day);
  const invoices = await offline.stripe.invoices.list({ subscription: subscription.id, limit: 100 });
  expect(invoices.data).toHaveLength(13);
  const now = await offline.stripe.subscriptions.retrieve(subscription.id);
  const anchorDay = new Date(subscription.billing_cycle_anchor * 1000).getUTCDate();
  expect(new Date(periodOf(now).end * 1000).getUTCDate()).toBe(anchorDay);
});

test('a failed renewal is retried three times and then ends the subscription', async () => {
  const subscription = await subscribe(offline, catalog);
  await offline.control(`subscriptions/${subscription.id}/fail_next_payment`, {});
  const { end } = periodOf(subscription);
  const failing = await eventsOf(() => offline.control('clock', { to: end }));
  expect(typesOf(failing)).toEqual([
    'customer.subscription.updated',
    'invoice.created',
    'invoice.finalized',
    'payment_intent.created',
    'charge.failed',
    'payment_intent.payment_failed',
    'invoice.payment_failed',
    'customer.subscription.updated',
  ]);
  expect((await offline.stripe.subscriptions.retrieve(subscription.id)).status).toBe('past_due');

  const ending = await eventsOf(() => offline.advance(25 * day));
  expect(typesOf(ending).filter((type) => type === 'invoice.payment_failed')).toHaveLength(3);
  expect(typesOf(ending).at(-1)).toBe('customer.subscription.deleted');
  expect(await offline.stripe.subscriptions.retrieve(subscription.id)).toMatchObject({
    status: 'canceled',
    cancellation_details: { reason: 'payment_failed' },
  });
  const live = await offline.stripe.subscriptions.list({ customer: catalog.customer.id });
  expect(live.data).toEqual([]);
  const all = await offline.stripe.subscriptions.list({ customer: catalog.customer.id, status: 'all' });
  expect(all.data).toHaveLength(1);
});

test('paying the open invoice recovers a past_due subscription', async () => {
  const subscription = await subscribe(offline, catalog);
  await offline.control(`subscriptions/${subscription.id}/fail_next_payment`, {});
  await offline.control('clock', { to: periodOf(subscription).end });
  const due = await offline.stripe.subscriptions.retrieve(subscription.id, { expand: ['latest_invoice'] });
  const invoice = due.latest_invoice;
  if (invoice === null || typeof invoice === 'string') throw new Error('latest_invoice is not expanded');
  expect(invoice).toMatchObject({ status: 'open', attempt_count: 1 });
  expect(invoice.next_payment_attempt).toBe(periodOf(subscription).end + 3 * day);
  const events = await eventsOf(() => offline.stripe.invoices.pay(invoice.id));
  expect(typesOf(events).at(-1)).toBe('customer.subscription.updated');
  expect((await offline.stripe.subscriptions.retrieve(subscription.id)).status).toBe('active');
  await offline.advance(30 * day);
  expect((await offline.stripe.subscriptions.retrieve(subscription.id)).status).toBe('active');
});

test('dunning may recover at a retry, or end in unpaid', async () => {
  const recovering = await subscribe(offline, catalog);
  const unpaid = await subscribe(offline, catalog);
  await offline.control(`subscriptions/${recovering.id}/fail_next_payment`, { times: 2 });
  await offline.control(`subscriptions/${unpaid.id}/fail_next_payment`, { after_last_retry: 'unpaid' });
  await offline.control('clock', { to: periodOf(unpaid).end + 20 * day });
  expect((await offline.stripe.subscriptions.retrieve(recovering.id)).status).toBe('active');
  expect((await offline.stripe.subscriptions.retrieve(unpaid.id)).status).toBe('unpaid');
});

test('a trial announces its end three days before, then is billed', async () => {
  const subscription = await subscribe(offline, catalog, { subscription_data: { trial_period_days: 14 } });
  const end = subscription.trial_end ?? 0;
  expect(periodOf(subscription).end).toBe(end);
  const events = await eventsOf(() => offline.control('clock', { to: end }));
  expect(events[0]).toMatchObject({ type: 'customer.subscription.trial_will_end', created: end - 3 * day });
  expect(typesOf(events)).toContain('invoice.paid');
  const after = await offline.stripe.subscriptions.retrieve(subscription.id, { expand: ['latest_invoice'] });
  expect(after).toMatchObject({ status: 'active', latest_invoice: { amount_paid: 2000 } });
});

test('a trial without a payment method pauses where asked, and resumes', async () => {
  const subscription = await subscribe(offline, catalog, {
    payment_method_collection: 'if_required',
    subscription_data: {
      trial_period_days: 7,
      trial_settings: { end_behavior: { missing_payment_method: 'pause' } },
    },
  });
  const events = await eventsOf(() => offline.advance(7 * day));
  expect(typesOf(events)).toContain('customer.subscription.paused');
  expect((await offline.stripe.subscriptions.retrieve(subscription.id)).status).toBe('paused');
  const resumed = await eventsOf(() =>
    offline.stripe.subscriptions.resume(subscription.id, { payment_behavior: 'resume_on_payment_success' }),
  );
  expect(typesOf(resumed)).toContain('customer.subscription.resumed');
  expect((await offline.stripe.subscriptions.retrieve(subscription.id)).status).toBe('active');
});

test.each([
  ['the boolean', { cancel_at_period_end: true }, true],
  ['cancel_at', { cancel_at: 'min_period_end' as const }, false],
])('canceling at period end by %s ends it then, and not before', async (_name, params, flag) => {
  const subscription = await subscribe(offline, catalog);
  const { end } = periodOf(subscription);
  const set = await offline.stripe.subscriptions.update(subscription.id, params);
  expect(set).toMatchObject({ status: 'active', cancel_at: end, cancel_at_period_end: flag });
  await offline.control('clock', { to: end - 30 });
  expect((await offline.stripe.subscriptions.retrieve(subscription.id)).status).toBe('active');
  const events = await eventsOf(() => offline.control('clock', { to: end }));
  expect(typesOf(events)).toEqual(['customer.subscription.deleted']);
  expect(events[0]?.data.object).toMatchObject({ status: 'canceled', ended_at: end });
});

test('un-canceling lets it renew', async () => {
  const subscription = await subscribe(offline, catalog);
  await offline.stripe.subscriptions.update(subscription.id, { cancel_at_period_end: true });
  const kept = await offline.stripe.subscriptions.update(subscription.id, { cancel_at_period_end: false });
  expect(kept).toMatchObject({ cancel_at: null, cancel_at_period_end: false, canceled_at: null });
  await offline.advance(32 * day);
  expect((await offline.stripe.subscriptions.retrieve(subscription.id)).status).toBe('active');
});

test('an incomplete subscription expires after 23 hours, or becomes active when paid', async () => {
  const create = (): Promise<Stripe.Subscription> =>
    offline.stripe.subscriptions.create({
      customer: catalog.customer.id,
      items: [{ price: catalog.monthly.id }],
      payment_behavior: 'default_incomplete',
      expand: ['latest_invoice'],
    });
  const [paid, left] = [await create(), await create()];
  expect(paid.status).toBe('incomplete');
  await offline.control(`subscriptions/${paid.id}/settle`, { outcome: 'succeeded' });
  expect((await offline.stripe.subscriptions.retrieve(paid.id)).status).toBe('active');
  await offline.advance(23 * 3_600);
  expect((await offline.stripe.subscriptions.retrieve(left.id)).status).toBe('incomplete_expired');
});

test('pause_collection voids renewals and leaves the subscription active until it resumes', async () => {
  const subscription = await subscribe(offline, catalog);
  const { end } = periodOf(subscription);
  await offline.stripe.subscriptions.update(subscription.id, {
    pause_collection: { behavior: 'void', resumes_at: end + 5 * day },
  });
  const events = await eventsOf(() => offline.control('clock', { to: end + 6 * day }));
  expect(typesOf(events)).toContain('invoice.voided');
  expect(await offline.stripe.subscriptions.retrieve(subscription.id)).toMatchObject({
    status: 'active',
    pause_collection: null,
  });
});

test('the clock refuses to go back', async () => {
  await expect(offline.control('clock', { to: 1_000 })).rejects.toThrow('only moves forward');
  const { now } = await offline
    .control('clock', { to: '2099-01-01T00:00:00Z' })
    .catch(() => ({ now: 'refused' }));
  expect(now).toBe('refused');
});

test('due events also happen when real time reaches them', async () => {
  const subscription = await subscribe(offline, catalog);
  const { end } = periodOf(subscription);
  await offline.control('clock', { to: end - 1 });
  await until(async () => {
    const now = await offline.stripe.subscriptions.retrieve(subscription.id);
    return periodOf(now).start === end;
  }, 'the subscription renewed by itself');
  expect((await offline.eventTypes()).at(-1)).toBe('invoice_payment.paid');
});
