import type Stripe from 'stripe';

import { idOf, seed, startOffline, subscribe, type Catalog, type Offline } from './harness.test-support.ts';

const day = 86_400;
const hour = 3_600;
let offline: Offline;
let catalog: Catalog;
beforeEach(async () => {
  offline = await startOffline();
  catalog = await seed(offline.stripe);
});
afterEach(() => offline.close());

/** A subscription whose card fails from now on, changed to three times as much. */
async function failUpgrade(
  more: Stripe.SubscriptionUpdateParams = {},
): Promise<{ before: Stripe.Subscription; held: Stripe.Subscription; invoice: Stripe.Invoice }> {
  const { stripe } = offline;
  const before = await subscribe(offline, catalog);
  await stripe.customers.update(catalog.customer.id, {});
  const method = await stripe.paymentMethods.attach('pm_card_chargeCustomerFail', {
    customer: catalog.customer.id,
  });
  await stripe.subscriptions.update(before.id, { default_payment_method: method.id });
  await offline.advance(10 * day);
  const held = await stripe.subscriptions.update(before.id, {
    items: [{ id: before.items.data[0]?.id ?? '', quantity: 3 }],
    proration_behavior: 'always_invoice',
    payment_behavior: 'pending_if_incomplete',
    ...more,
  });
  return { before, held, invoice: await stripe.invoices.retrieve(idOf(held.latest_invoice)) };
}

test('a change whose payment fails waits in pending_update, and the old plan goes on', async () => {
  const { held, invoice } = await failUpgrade();
  expect(held).toMatchObject({
    status: 'active',
    items: { data: [{ quantity: 1 }] },
    pending_update: { expires_at: invoice.created + 23 * hour, subscription_items: [{ quantity: 3 }] },
  });
  expect(invoice).toMatchObject({
    status: 'open',
    billing_reason: 'subscription_update',
    attempt_count: 1,
    next_payment_attempt: null,
    hosted_invoice_url: expect.stringContaining('/i/'),
  });
  expect(await offline.eventTypes()).toEqual(
    expect.arrayContaining(['invoice.payment_failed', 'customer.subscription.updated']),
  );
});

test('once its invoice is paid the change is made', async () => {
  const { stripe } = offline;
  const { held, invoice } = await failUpgrade();
  await stripe.invoices.pay(invoice.id ?? '', { payment_method: 'pm_card_visa' });
  expect(await stripe.subscriptions.retrieve(held.id)).toMatchObject({
    status: 'active',
    pending_update: null,
    items: { data: [{ quantity: 3 }] },
  });
  expect(await offline.eventTypes()).toContain('customer.subscription.pending_update_applied');
});

test('nobody pays in 23 hours: the invoice is voided and the change is forgotten', async () => {
  const { stripe } = offline;
  const { held, invoice } = await failUpgrade();
  await offline.advance(23 * hour);
  expect(await stripe.subscriptions.retrieve(held.id)).toMatchObject({
    status: 'active',
    pending_update: null,
    items: { data: [{ quantity: 1 }] },
  });
  expect(await stripe.invoices.retrieve(invoice.id ?? '')).toMatchObject({ status: 'void' });
  expect((await offline.eventTypes()).slice(-3)).toEqual([
    'invoice.voided',
    'customer.subscription.updated',
    'customer.subscription.pending_update_expired',
  ]);
});

test('it never outlives the period', async () => {
  const { stripe } = offline;
  const { before, held } = await failUpgrade();
  await stripe.invoices.voidInvoice(idOf(held.latest_invoice));
  const end = before.items.data[0]?.current_period_end ?? 0;
  await offline.control('clock', { to: end - hour });
  const late = await stripe.subscriptions.update(before.id, {
    items: [{ id: before.items.data[0]?.id ?? '', quantity: 300 }],
    proration_behavior: 'always_invoice',
    payment_behavior: 'pending_if_incomplete',
  });
  expect(late.pending_update?.expires_at).toBe(end);
});

test.each([
  [
    'voiding its invoice',
    (id: string, invoice: string) => offline.stripe.invoices.voidInvoice(invoice, {}, {}).then(() => id),
  ],
  [
    'another change',
    (id: string) =>
      offline.stripe.subscriptions.update(id, {
        billing_cycle_anchor: { type: 'now' },
        proration_behavior: 'none',
      }),
  ],
  ['the end of the subscription', (id: string) => offline.stripe.subscriptions.cancel(id)],
])('%s gives a waiting change up', async (_name, act) => {
  const { stripe } = offline;
  const { held, invoice } = await failUpgrade();
  await act(held.id, invoice.id ?? '');
  expect(await stripe.invoices.retrieve(invoice.id ?? '')).toMatchObject({ status: 'void' });
  expect(await stripe.subscriptions.retrieve(held.id)).toMatchObject({
    pending_update: null,
    items: { data: [{ quantity: 1 }] },
  });
});

test('a payer whose bank asks pays on the invoice page', async () => {
  const { stripe } = offline;
  const before = await subscribe(offline, catalog);
  const method = await stripe.paymentMethods.attach('pm_card_authenticationRequired', {
    customer: catalog.customer.id,
  });
  await stripe.subscriptions.update(before.id, { default_payment_method: method.id });
  const held = await stripe.subscriptions.update(before.id, {
    items: [{ id: before.items.data[0]?.id ?? '', quantity: 2 }],
    proration_behavior: 'always_invoice',
    payment_behavior: 'pending_if_incomplete',
  });
  expect(held.pending_update).not.toBeNull();
  expect(await offline.eventTypes()).toContain('invoice.payment_action_required');
});

test('without payment_behavior the change is made at once, and error_if_incomplete makes none', async () => {
  const { stripe } = offline;
  const { held } = await failUpgrade({ payment_behavior: 'allow_incomplete' });
  expect(held).toMatchObject({
    status: 'past_due',
    pending_update: null,
    items: { data: [{ quantity: 3 }] },
  });
  const events = (await offline.eventTypes()).length;
  await expect(
    stripe.subscriptions.update(held.id, {
      items: [{ id: held.items.data[0]?.id ?? '', quantity: 9 }],
      proration_behavior: 'always_invoice',
      payment_behavior: 'error_if_incomplete',
    }),
  ).rejects.toMatchObject({ statusCode: 402, code: 'card_declined' });
  expect((await offline.eventTypes()).length).toBe(events);
});

test('what a pending update does not support is refused', async () => {
  const { stripe } = offline;
  const subscription = await subscribe(offline, catalog);
  const pending = { payment_behavior: 'pending_if_incomplete' as const };
  await expect(
    stripe.subscriptions.update(subscription.id, { ...pending, metadata: { a: '1' } }),
  ).rejects.toMatchObject({ statusCode: 400, param: 'metadata' });
  await stripe.subscriptions.update(subscription.id, {
    collection_method: 'send_invoice',
    days_until_due: 3,
  });
  await expect(stripe.subscriptions.update(subscription.id, pending)).rejects.toMatchObject({
    statusCode: 400,
    param: 'payment_behavior',
  });
});

async function pausedSubscription(): Promise<Stripe.Subscription> {
  const { stripe } = offline;
  const subscription = await stripe.subscriptions.create({
    customer: catalog.customer.id,
    items: [{ price: catalog.monthly.id }],
    trial_period_days: 3,
    trial_settings: { end_behavior: { missing_payment_method: 'pause' } },
  });
  await offline.advance(3 * day);
  return stripe.subscriptions.retrieve(subscription.id);
}

test.each(['resume_on_payment_success', 'resume_on_payment_attempt'] as const)(
  'a paused subscription is resumed by %s only once its invoice is paid',
  async (behavior) => {
    const { stripe } = offline;
    const { id, status } = await pausedSubscription();
    expect(status).toBe('paused');
    await offline.control(`subscriptions/${id}/fail_next_payment`, { times: 1 });
    const tried = await stripe.subscriptions.resume(id, {
      billing_cycle_anchor: { type: 'now' },
      payment_behavior: behavior,
    });
    expect(tried).toMatchObject({ status: 'paused', pending_update: null });
    await stripe.invoices.pay(idOf(tried.latest_invoice));
    expect((await stripe.subscriptions.retrieve(id)).status).toBe('active');
    expect(await offline.eventTypes()).toContain('customer.subscription.resumed');
  },
);

test('a resumption that nobody pays is voided, and the subscription stays paused', async () => {
  const { stripe } = offline;
  const { id } = await pausedSubscription();
  const tried = await stripe.subscriptions.resume(id);
  await offline.advance(23 * hour);
  expect((await stripe.subscriptions.retrieve(id)).status).toBe('paused');
  expect((await stripe.invoices.retrieve(idOf(tried.latest_invoice))).status).toBe('void');
  await expect(stripe.subscriptions.resume((await subscribe(offline, catalog)).id)).rejects.toMatchObject({
    statusCode: 400,
  });
});
