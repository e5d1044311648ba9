import type Stripe from 'stripe';

import { idOf, seed, startOffline, subscribe, type Catalog, type Offline } from './harness.test-support.ts';

const day = 86_400;
let offline: Offline;
let catalog: Catalog;
let dear: Stripe.Price;
beforeEach(async () => {
  offline = await startOffline();
  catalog = await seed(offline.stripe);
  dear = await offline.stripe.prices.create({
    product_data: { name: 'Team' },
    currency: 'usd',
    unit_amount: 4999,
    recurring: { interval: 'month' },
  });
});
afterEach(() => offline.close());

const itemOf = (subscription: Stripe.Subscription): Stripe.SubscriptionItem => {
  const [item] = subscription.items.data;
  if (item === undefined) throw new Error('no item');
  return item;
};

async function nowAt(): Promise<number> {
  return Number((await offline.control('clock'))['now']);
}

/** Ten days and some odd seconds into the period. */
async function midPeriod(): Promise<{
  subscription: Stripe.Subscription;
  item: Stripe.SubscriptionItem;
  at: number;
}> {
  const subscription = await subscribe(offline, catalog);
  await offline.advance(10 * day + 12_345);
  return { subscription, item: itemOf(subscription), at: await nowAt() };
}

test('the preview of an upgrade is prorated by the second, and the same amount is charged later', async () => {
  const { stripe } = offline;
  const { subscription, item, at } = await midPeriod();
  const change = { items: [{ id: item.id, price: dear.id }], proration_behavior: 'always_invoice' as const };
  const preview = await stripe.invoices.createPreview({
    subscription: subscription.id,
    subscription_details: { ...change, proration_date: at },
  });
  const left = (item.current_period_end - at) / (item.current_period_end - item.current_period_start);
  const [unused, remaining] = [Math.round(2_000 * left), Math.round(4_999 * left)];
  expect(preview).toMatchObject({
    status: 'draft',
    amount_due: remaining - unused,
    billing_reason: 'upcoming',
    number: null,
    parent: { subscription_details: { subscription_proration_date: at } },
    lines: {
      data: [
        {
          amount: -unused,
          description: expect.stringMatching(/^Unused time on Pro <plan> after \d\d \w{3} \d{4}$/),
        },
        { amount: remaining, description: expect.stringContaining('Remaining time on Team after') },
      ],
    },
  });
  expect(preview.id).toMatch(/^upcoming_in_/);
  expect(preview.lines.data.map(({ period }) => period)).toEqual([
    { start: at, end: item.current_period_end },
    { start: at, end: item.current_period_end },
  ]);
  const before = await offline.eventTypes();
  expect((await stripe.invoices.list({ subscription: subscription.id })).data).toHaveLength(1);
  expect(await stripe.subscriptions.retrieve(subscription.id)).toMatchObject({
    items: { data: [{ id: item.id }] },
  });
  await offline.advance(400);
  const changed = await stripe.subscriptions.update(subscription.id, {
    ...change,
    proration_date: at,
    payment_behavior: 'pending_if_incomplete',
    expand: ['latest_invoice'],
  });
  expect(changed).toMatchObject({
    pending_update: null,
    latest_invoice: { status: 'paid', amount_paid: preview.amount_due },
    items: { data: [{ id: item.id, price: { id: dear.id } }] },
  });
  expect((await offline.eventTypes()).slice(before.length)).toContain('customer.subscription.updated');
});

test('a downgrade now gives credit, which the next invoices take up', async () => {
  const { stripe } = offline;
  const subscription = await stripe.subscriptions.create({
    customer: catalog.customer.id,
    items: [{ price: dear.id }],
  });
  await offline.advance(15 * day);
  const items = [{ id: itemOf(subscription).id, price: catalog.monthly.id }];
  const details = { items, proration_behavior: 'always_invoice' as const };
  const preview = await stripe.invoices.createPreview({
    subscription: subscription.id,
    subscription_details: details,
  });
  expect(preview.amount_due).toBe(0);
  expect(preview.total).toBeLessThan(0);
  expect(preview.ending_balance).toBe(preview.total);
  await stripe.subscriptions.update(subscription.id, { ...details, proration_date: preview.created });
  expect(await stripe.customers.retrieve(catalog.customer.id)).toMatchObject({ balance: preview.total });
  const next = await stripe.invoices.createPreview({ subscription: subscription.id });
  expect(next).toMatchObject({ total: 2_000, amount_due: Math.max(0, 2_000 + preview.total) });
});

test.each([
  ['create_prorations', (proration: number) => 4_999 + proration],
  ['none', () => 4_999],
] as const)('with %s nothing is due now: the preview is the next invoice', async (behavior, amount) => {
  const { stripe } = offline;
  const { subscription, item, at } = await midPeriod();
  const preview = await stripe.invoices.createPreview({
    subscription: subscription.id,
    subscription_details: {
      items: [{ id: item.id, price: dear.id }],
      proration_behavior: behavior,
      proration_date: at,
    },
  });
  const left = (item.current_period_end - at) / (item.current_period_end - item.current_period_start);
  const proration = Math.round(4_999 * left) - Math.round(2_000 * left);
  expect(preview.amount_due).toBe(amount(proration));
  expect(preview.created).toBe(item.current_period_end);
  const recurring = await stripe.invoices.createPreview({
    subscription: subscription.id,
    preview_mode: 'recurring',
    subscription_details: {
      items: [{ id: item.id, price: dear.id }],
      proration_behavior: behavior,
      proration_date: at,
    },
  });
  expect(recurring.amount_due).toBe(4_999);
});

test('another interval is billed whole at once, less what is left', async () => {
  const { stripe } = offline;
  const { subscription, item, at } = await midPeriod();
  const details = {
    items: [{ id: item.id, price: catalog.yearly.id }],
    proration_behavior: 'always_invoice' as const,
    proration_date: at,
  };
  const preview = await stripe.invoices.createPreview({
    subscription: subscription.id,
    subscription_details: details,
  });
  const left = (item.current_period_end - at) / (item.current_period_end - item.current_period_start);
  expect(preview.amount_due).toBe(20_000 - Math.round(2_000 * left));
  await stripe.subscriptions.update(subscription.id, details);
  const [invoice] = (await stripe.invoices.list({ subscription: subscription.id })).data;
  expect(invoice?.amount_paid).toBe(preview.amount_due);
});

test('discounts are included: what was paid less is credited less', async () => {
  const { stripe } = offline;
  const coupon = await stripe.coupons.create({ percent_off: 50, duration: 'once' });
  const subscription = await subscribe(offline, catalog, { discounts: [{ coupon: coupon.id }] });
  const item = itemOf(subscription);
  const half = Math.floor((item.current_period_start + item.current_period_end) / 2);
  await offline.control('clock', { to: half });
  const preview = await stripe.invoices.createPreview({
    subscription: subscription.id,
    subscription_details: {
      items: [{ id: item.id, price: dear.id }],
      proration_behavior: 'always_invoice',
      proration_date: half,
    },
  });
  const left = (item.current_period_end - half) / (item.current_period_end - item.current_period_start);
  expect(preview.lines.data.map(({ amount }) => amount)).toEqual([
    -Math.round(1_000 * left),
    Math.round(4_999 * left),
  ]);
});

test('a credit is given once: after two changes in one period all that was billed adds up', async () => {
  const { stripe } = offline;
  const { subscription, item, at } = await midPeriod();
  const to = (price: string) =>
    stripe.subscriptions.update(subscription.id, {
      items: [{ id: item.id, price }],
      proration_behavior: 'always_invoice',
      proration_date: at,
    });
  await to(dear.id);
  await to(catalog.monthly.id);
  const invoices = await stripe.invoices.list({ subscription: subscription.id });
  expect(invoices.data.reduce((sum, { total }) => sum + total, 0)).toBe(2_000);
  const [last] = invoices.data;
  const credit = last?.lines.data.find(({ amount }) => amount < 0);
  expect(credit).toBeDefined();
});

test('there is none after the end, and a preview refuses what the change refuses', async () => {
  const { stripe } = offline;
  const subscription = await subscribe(offline, catalog);
  const item = itemOf(subscription);
  const previewOf = (details: Stripe.InvoiceCreatePreviewParams.SubscriptionDetails) =>
    stripe.invoices.createPreview({ subscription: subscription.id, subscription_details: details });
  await expect(previewOf({ cancel_at_period_end: true })).rejects.toMatchObject({
    statusCode: 404,
    code: 'invoice_upcoming_none',
  });
  await expect(previewOf({ items: [{ id: item.id, price: 'price_none' }] })).rejects.toMatchObject({
    code: 'resource_missing',
    param: 'subscription_details[items][0][price]',
  });
  await expect(previewOf({ proration_date: 12 })).rejects.toMatchObject({
    statusCode: 400,
    param: 'subscription_details[proration_date]',
  });
  await expect(stripe.invoices.createPreview({ customer: catalog.customer.id })).rejects.toThrow(
    'You must provide at least one of',
  );
  const first = await stripe.invoices.createPreview({
    customer: catalog.customer.id,
    subscription_details: { items: [{ price: dear.id, quantity: 2 }] },
  });
  expect(first.amount_due).toBe(9_998);
  expect((await stripe.subscriptions.list({ status: 'all' })).data).toHaveLength(1);
  expect(idOf(first.customer)).toBe(catalog.customer.id);
});
