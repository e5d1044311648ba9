import type Stripe from 'stripe';

import { idOf, seed, startOffline, subscribe, type Catalog, type Offline } from './harness.test-support.ts';

const day = 86_400;
let offline: Offline;
let catalog: Catalog;
let customer: string;
beforeEach(async () => {
  offline = await startOffline();
  catalog = await seed(offline.stripe);
  customer = catalog.customer.id;
});
afterEach(() => offline.close());

async function invoiceOf(
  amount: number,
  more: Partial<Stripe.InvoiceCreateParams> = {},
): Promise<Stripe.Invoice> {
  await offline.stripe.invoiceItems.create({ customer, amount, currency: 'usd', description: 'Extra' });
  return offline.stripe.invoices.create({ customer, pending_invoice_items_behavior: 'include', ...more });
}

test('an invoice of its own: items, draft, finalized, paid by a card', async () => {
  const { stripe } = offline;
  const card = await stripe.paymentMethods.attach('pm_card_visa', { customer });
  const draft = await invoiceOf(2_000);
  expect(draft).toMatchObject({
    status: 'draft',
    billing_reason: 'manual',
    parent: null,
    amount_due: 2_000,
    lines: { data: [{ amount: 2_000, parent: { type: 'invoice_item_details' } }] },
  });
  const byPrice = { customer, invoice: draft.id, pricing: { price: catalog.once.id }, quantity: 2 };
  const item = await stripe.invoiceItems.create(byPrice);
  expect(await stripe.invoices.retrieve(draft.id)).toMatchObject({ total: 2_000 + 2 * 4_900 });
  await stripe.invoiceItems.del(item.id);
  await stripe.invoices.finalizeInvoice(draft.id);
  const paid = await stripe.invoices.pay(draft.id, { payment_method: card.id, expand: ['payments'] });
  expect(paid).toMatchObject({
    status: 'paid',
    amount_paid: 2_000,
    payments: { data: [{ status: 'paid', amount_paid: 2_000 }] },
  });
  const types = await offline.eventTypes();
  expect(types.slice(types.indexOf('invoiceitem.created'))).toEqual([
    'invoiceitem.created',
    'invoice.created',
    'invoiceitem.created',
    'invoice.updated',
    'invoice.updated',
    'invoiceitem.deleted',
    'invoice.finalized',
    'payment_intent.created',
    'payment_intent.succeeded',
    'charge.succeeded',
    'invoice.paid',
    'invoice.payment_succeeded',
    'invoice_payment.paid',
  ]);
});

test('an invoice that a card does not pay', async () => {
  const { stripe } = offline;
  const card = await stripe.paymentMethods.attach('pm_card_chargeCustomerFail', { customer });
  const draft = await invoiceOf(700);
  await expect(stripe.invoices.pay(draft.id, { payment_method: card.id })).rejects.toMatchObject({
    statusCode: 402,
    code: 'card_declined',
  });
  expect(await stripe.invoices.retrieve(draft.id)).toMatchObject({ status: 'open', attempt_count: 1 });
  expect(await offline.eventTypes()).toContain('invoice.payment_failed');
  const outside = await stripe.invoices.pay(draft.id, { paid_out_of_band: true });
  expect(outside).toMatchObject({ status: 'paid', amount_paid_off_stripe: 700 });
});

test('several payments pay one invoice', async () => {
  const { stripe } = offline;
  const draft = await invoiceOf(1_000);
  await stripe.invoices.finalizeInvoice(draft.id);
  for (const [amount, status, remaining] of [
    [400, 'open', 600],
    [600, 'paid', 0],
  ] as const) {
    const intent = await stripe.paymentIntents.create({
      amount,
      currency: 'usd',
      customer,
      payment_method: 'pm_card_visa',
      confirm: true,
    });
    const after = await stripe.invoices.attachPayment(draft.id, { payment_intent: intent.id });
    expect(after).toMatchObject({ status, amount_remaining: remaining });
  }
  const { data } = await stripe.invoicePayments.list({ invoice: draft.id });
  expect(data.map((link) => [link.amount_paid, link.status])).toEqual([
    [600, 'paid'],
    [400, 'paid'],
  ]);
});

test("a customer's credit pays first; what is left of it stays", async () => {
  const { stripe } = offline;
  await stripe.customers.createBalanceTransaction(customer, { amount: -1_500, currency: 'usd' });
  const first = await stripe.invoices.finalizeInvoice((await invoiceOf(1_000)).id);
  expect(first).toMatchObject({
    status: 'paid',
    amount_due: 0,
    starting_balance: -1_500,
    ending_balance: -500,
  });
  const second = await stripe.invoices.finalizeInvoice((await invoiceOf(2_000)).id);
  expect(second).toMatchObject({ status: 'open', total: 2_000, amount_due: 1_500 });
  expect(await stripe.customers.retrieve(customer)).toMatchObject({ balance: 0 });
  await stripe.invoices.voidInvoice(second.id);
  expect(await stripe.customers.retrieve(customer)).toMatchObject({ balance: -500 });
  const { data } = await stripe.customers.listBalanceTransactions(customer);
  expect(data.map(({ amount, type }) => [amount, type])).toEqual([
    [-500, 'unapplied_from_invoice'],
    [500, 'applied_to_invoice'],
    [1_000, 'applied_to_invoice'],
    [-1_500, 'adjustment'],
  ]);
});

test('a draft with auto_advance becomes final and is collected after an hour', async () => {
  await offline.stripe.customers.update(customer, {
    invoice_settings: { default_payment_method: 'pm_card_visa' },
  });
  const draft = await invoiceOf(500, { auto_advance: true });
  await offline.advance(3_601);
  expect(await offline.stripe.invoices.retrieve(draft.id)).toMatchObject({ status: 'paid' });
});

test('a subscription that is billed by post is past due after its due date, and active once it is paid', async () => {
  const { stripe } = offline;
  const subscription = await stripe.subscriptions.create({
    customer,
    items: [{ price: catalog.monthly.id }],
    collection_method: 'send_invoice',
    days_until_due: 7,
  });
  expect(subscription.status).toBe('active');
  const invoice = await stripe.invoices.retrieve(idOf(subscription.latest_invoice));
  expect(invoice).toMatchObject({ status: 'open', due_date: invoice.created + 7 * day });
  await offline.advance(7 * day - 60);
  expect(await stripe.subscriptions.retrieve(subscription.id)).toMatchObject({ status: 'active' });
  await offline.advance(120);
  expect(await stripe.subscriptions.retrieve(subscription.id)).toMatchObject({ status: 'past_due' });
  await stripe.invoices.pay(invoice.id);
  expect(await stripe.subscriptions.retrieve(subscription.id)).toMatchObject({ status: 'active' });
});

describe('a change within a period', () => {
  async function halfway(): Promise<Stripe.Subscription> {
    const subscription = await subscribe(offline, catalog);
    const [item] = subscription.items.data;
    const [start = 0, end = 0] = [item?.current_period_start, item?.current_period_end];
    await offline.control('clock', { to: start + (end - start) / 2 });
    return subscription;
  }
  const upgrade = (subscription: Stripe.Subscription, more: Partial<Stripe.SubscriptionUpdateParams>) =>
    offline.stripe.subscriptions.update(subscription.id, {
      items: [{ id: subscription.items.data[0]?.id ?? '', quantity: 3 }],
      expand: ['latest_invoice'],
      ...more,
    });

  test('is billed with the next invoice', async () => {
    const { stripe } = offline;
    const subscription = await halfway();
    const after = await upgrade(subscription, {});
    expect(after.latest_invoice).toMatchObject({ id: subscription.latest_invoice });
    const { data: waiting } = await stripe.invoiceItems.list({ customer, pending: true });
    expect(waiting.map(({ amount, proration }) => [amount, proration])).toEqual([
      [3_000, true],
      [-1_000, true],
    ]);
    await offline.control('clock', { to: after.items.data[0]?.current_period_end ?? 0 });
    const renewed = await stripe.subscriptions.retrieve(subscription.id, { expand: ['latest_invoice'] });
    expect(renewed.latest_invoice).toMatchObject({
      billing_reason: 'subscription_cycle',
      amount_paid: 6_000 + 2_000,
      lines: {
        data: [
          { amount: -1_000, parent: { subscription_item_details: { proration: true } } },
          { amount: 3_000, parent: { subscription_item_details: { proration: true } } },
          { amount: 6_000, parent: { subscription_item_details: { proration: false } } },
        ],
      },
    });
  });

  test('is billed at once by always_invoice, as the latest invoice', async () => {
    const after = await upgrade(await halfway(), { proration_behavior: 'always_invoice' });
    expect(after.latest_invoice).toMatchObject({
      billing_reason: 'subscription_update',
      status: 'paid',
      amount_paid: 2_000,
      parent: { subscription_details: { subscription: after.id } },
    });
    const [charge] = (await offline.stripe.charges.list({ customer })).data;
    await offline.stripe.refunds.create({ charge: charge?.id ?? '', amount: 500 });
    expect((await offline.eventTypes()).at(-1)).toBe('charge.refunded');
  });

  test('is not billed by none', async () => {
    await upgrade(await halfway(), { proration_behavior: 'none' });
    expect((await offline.stripe.invoiceItems.list({ customer })).data).toEqual([]);
  });

  test('to another interval credits the rest of the old one', async () => {
    const subscription = await halfway();
    const after = await offline.stripe.subscriptions.update(subscription.id, {
      items: [{ id: subscription.items.data[0]?.id ?? '', price: catalog.yearly.id }],
      expand: ['latest_invoice'],
    });
    expect(after.latest_invoice).toMatchObject({ total: 20_000 - 1_000 });
  });

  test('that costs less becomes credit', async () => {
    const { stripe } = offline;
    const subscription = await halfway();
    const cheap = await stripe.prices.create({
      currency: 'usd',
      unit_amount: 400,
      recurring: { interval: 'month' },
      product_data: { name: 'Lite' },
    });
    const after = await stripe.subscriptions.update(subscription.id, {
      items: [{ id: subscription.items.data[0]?.id ?? '', price: cheap.id }],
      proration_behavior: 'always_invoice',
      expand: ['latest_invoice'],
    });
    expect(after.latest_invoice).toMatchObject({ total: -800, amount_due: 0, status: 'paid' });
    expect(await stripe.customers.retrieve(customer)).toMatchObject({ balance: -800 });
  });
});

test('an item between periods is billed with the next renewal', async () => {
  const subscription = await subscribe(offline, catalog);
  await offline.stripe.invoiceItems.create({
    customer,
    subscription: subscription.id,
    pricing: { price: catalog.once.id },
  });
  await offline.control('clock', { to: subscription.items.data[0]?.current_period_end ?? 0 });
  const renewed = await offline.stripe.subscriptions.retrieve(subscription.id, {
    expand: ['latest_invoice'],
  });
  expect(renewed.latest_invoice).toMatchObject({ amount_paid: 2_000 + 4_900 });
});

test.each([
  ['once', {}, [1_500, 2_000, 2_000]],
  ['repeating', { duration_in_months: 2 }, [1_500, 1_500, 2_000]],
  ['forever', {}, [1_500, 1_500, 1_500]],
] as const)('a coupon for %s', async (duration, more, paid) => {
  const { stripe } = offline;
  const coupon = await stripe.coupons.create({ percent_off: 25, duration, ...more });
  const subscription = await subscribe(offline, catalog, { discounts: [{ coupon: coupon.id }] });
  const amounts: number[] = [];
  for (let period = 0; period < 3; period += 1) {
    const now = await stripe.subscriptions.retrieve(subscription.id, { expand: ['latest_invoice'] });
    if (typeof now.latest_invoice === 'object') amounts.push(now.latest_invoice?.amount_paid ?? -1);
    await offline.control('clock', { to: now.items.data[0]?.current_period_end ?? 0 });
  }
  expect(amounts).toEqual(paid);
  await stripe.coupons.del(coupon.id);
  await expect(stripe.coupons.retrieve(coupon.id)).rejects.toMatchObject({ statusCode: 404 });
});

test.each([
  ['day', 10, 10 * day],
  ['week', 2, 14 * day],
] as const)('a price per %s × %s', async (interval, count, seconds) => {
  const price = await offline.stripe.prices.create({
    currency: 'usd',
    unit_amount: 100,
    recurring: { interval, interval_count: count },
    product_data: { name: 'x' },
  });
  const { items } = await offline.stripe.subscriptions.create({ customer, items: [{ price: price.id }] });
  const [item] = items.data;
  expect((item?.current_period_end ?? 0) - (item?.current_period_start ?? 0)).toBe(seconds);
});

test('default_incomplete waits until its payment is confirmed', async () => {
  const { stripe } = offline;
  const subscription = await stripe.subscriptions.create({
    customer,
    items: [{ price: catalog.monthly.id }],
    payment_behavior: 'default_incomplete',
    expand: ['latest_invoice.payments'],
  });
  expect(subscription.status).toBe('incomplete');
  const invoice = subscription.latest_invoice;
  const [link] = typeof invoice === 'object' ? (invoice?.payments?.data ?? []) : [];
  await stripe.paymentIntents.confirm(idOf(link?.payment.payment_intent ?? null), {
    payment_method: 'pm_card_visa',
  });
  expect(await stripe.subscriptions.retrieve(subscription.id)).toMatchObject({ status: 'active' });
});
