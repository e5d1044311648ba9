import type Stripe from 'stripe';

import { seed, startOffline, type Catalog, type Offline } from './harness.test-support.ts';

const day = 86_400;
let offline: Offline;
let catalog: Catalog;
let meter: Stripe.Billing.Meter;
beforeEach(async () => {
  offline = await startOffline();
  catalog = await seed(offline.stripe);
  meter = await offline.stripe.billing.meters.create({
    display_name: 'Calls',
    event_name: 'calls',
    default_aggregation: { formula: 'sum' },
  });
});
afterEach(() => offline.close());

const now = async (): Promise<number> =>
  Number((await offline.control('clock', { advance_seconds: 0 }))['now']);

const send = (identifier: string, value: number, more: { timestamp?: number; customer?: string } = {}) =>
  offline.stripe.billing.meterEvents.create({
    event_name: 'calls',
    identifier,
    payload: { stripe_customer_id: more.customer ?? catalog.customer.id, value: String(value) },
    ...(more.timestamp === undefined ? {} : { timestamp: more.timestamp }),
  });

const sumOf = async (start: number, end: number, customer = catalog.customer.id): Promise<number> => {
  const whole = (time: number): number => time - (time % 60);
  const span = { customer, start_time: whole(start), end_time: whole(end) + 60 };
  const { data } = await offline.stripe.billing.meters.listEventSummaries(meter.id, span);
  return data[0]?.aggregated_value ?? Number.NaN;
};

async function meteredPrice(): Promise<Stripe.Price> {
  return offline.stripe.prices.create({
    product_data: { name: 'Calls' },
    currency: 'usd',
    unit_amount: 2,
    recurring: { interval: 'month', usage_type: 'metered', meter: meter.id },
  });
}

test('an identifier is taken once within a day', async () => {
  const at = await now();
  await send('one', 5);
  await expect(send('one', 5)).rejects.toMatchObject({
    statusCode: 400,
    message: 'An event already exists with identifier one.',
  });
  expect(await sumOf(at, at)).toBe(5);
  await offline.advance(day);
  await send('one', 5, { timestamp: at });
  expect(await sumOf(at, at)).toBe(10);
});

test.each([
  ['older than 35 days', -35 * day - 10, 'timestamp_too_far_in_past'],
  ['more than 5 minutes ahead', 310, 'timestamp_in_future'],
])('an event %s is refused', async (_what, offset, code) => {
  await expect(send('old', 1, { timestamp: (await now()) + offset })).rejects.toMatchObject({ code });
});

test.each([
  ['an unknown customer', { stripe_customer_id: 'cus_none', value: '1' }, 'resource_missing'],
  ['no customer', { value: '1' }, 'meter_event_no_customer_defined'],
  ['a fraction', { stripe_customer_id: 'known', value: '1.5' }, 'meter_event_invalid_value'],
])('an event of %s is refused', async (_what, payload, code) => {
  const known = Object.fromEntries(
    Object.entries(payload).map(([key, value]) => [key, value === 'known' ? catalog.customer.id : value]),
  );
  await expect(
    offline.stripe.billing.meterEvents.create({ event_name: 'calls', payload: known }),
  ).rejects.toMatchObject({ code });
});

test('an event of no meter, or of one that is inactive, is refused', async () => {
  const event = { payload: { stripe_customer_id: catalog.customer.id, value: '1' } };
  await expect(
    offline.stripe.billing.meterEvents.create({ ...event, event_name: 'none' }),
  ).rejects.toMatchObject({ code: 'no_meter' });
  await offline.stripe.billing.meters.deactivate(meter.id);
  await expect(send('one', 1)).rejects.toMatchObject({ code: 'archived_meter' });
  await offline.stripe.billing.meters.reactivate(meter.id);
  await send('one', 1);
});

test('summaries are of one customer, of whole minutes, and by hours where asked', async () => {
  const at = await now();
  const other = await offline.stripe.customers.create({});
  await send('a', 5, { timestamp: at });
  await send('b', -2, { timestamp: at - 3_600 });
  await send('c', 100, { customer: other.id });
  expect(await sumOf(at - 3_600, at)).toBe(3);
  expect(await sumOf(at, at, other.id)).toBe(100);
  const hour = at - (at % 3_600);
  const { data } = await offline.stripe.billing.meters.listEventSummaries(meter.id, {
    customer: catalog.customer.id,
    start_time: hour - 3_600,
    end_time: hour + 3_600,
    value_grouping_window: 'hour',
  });
  expect(data.map(({ start_time: start, aggregated_value: value }) => [start - hour, value])).toEqual([
    [0, 5],
    [-3_600, -2],
  ]);
  await expect(
    offline.stripe.billing.meters.listEventSummaries(meter.id, {
      customer: catalog.customer.id,
      start_time: hour + 1,
      end_time: hour + 60,
    }),
  ).rejects.toMatchObject({ param: 'start_time' });
});

test('usage is on the invoice of the period that it fell into, while that is a draft for an hour', async () => {
  const price = await meteredPrice();
  const subscription = await offline.stripe.subscriptions.create({
    customer: catalog.customer.id,
    items: [{ price: price.id }],
  });
  const [item] = subscription.items.data;
  expect(item).not.toHaveProperty('quantity');
  const end = item?.current_period_end ?? 0;
  await send('first', 10, { timestamp: subscription.start_date });
  await offline.control('clock', { to: end });
  const renewed = await offline.stripe.subscriptions.retrieve(subscription.id, {
    expand: ['latest_invoice'],
  });
  const draft = renewed.latest_invoice;
  if (draft === null || typeof draft === 'string') throw new Error('latest_invoice is not expanded');
  expect(draft).toMatchObject({ status: 'draft', automatically_finalizes_at: end + 3_600, total: 20 });
  await send('late', 30, { timestamp: end - 1 });
  await send('next', 1_000, { timestamp: end });
  await offline.advance(3_601);
  const paid = await offline.stripe.invoices.retrieve(draft.id);
  expect(paid).toMatchObject({ status: 'paid', total: 80 });
  expect(paid.lines.data).toMatchObject([{ quantity: 40, amount: 80, period: { end } }]);
});

test('a negative sum of a period is billed as nothing', async () => {
  const price = await meteredPrice();
  const subscription = await offline.stripe.subscriptions.create({
    customer: catalog.customer.id,
    items: [{ price: price.id }],
  });
  await send('less', -10);
  await offline.control('clock', { to: (subscription.items.data[0]?.current_period_end ?? 0) + 3_601 });
  const { data } = await offline.stripe.invoices.list({ subscription: subscription.id, limit: 1 });
  expect(data[0]).toMatchObject({ total: 0, status: 'paid' });
});

test('a subscription that ends is billed for its last usage', async () => {
  const price = await meteredPrice();
  const subscription = await offline.stripe.subscriptions.create({
    customer: catalog.customer.id,
    items: [{ price: price.id }],
  });
  await offline.stripe.subscriptions.update(subscription.id, { cancel_at_period_end: true });
  await send('last', 7);
  await offline.control('clock', { to: (subscription.items.data[0]?.current_period_end ?? 0) + 3_601 });
  expect(await offline.stripe.subscriptions.retrieve(subscription.id)).toMatchObject({ status: 'canceled' });
  const { data } = await offline.stripe.invoices.list({ subscription: subscription.id, limit: 1 });
  expect(data[0]).toMatchObject({ total: 14, status: 'paid' });
});

test('a metered price needs a meter, and takes no quantity', async () => {
  await expect(
    offline.stripe.prices.create({
      product_data: { name: 'Calls' },
      currency: 'usd',
      unit_amount: 2,
      recurring: { interval: 'month', usage_type: 'metered' },
    }),
  ).rejects.toMatchObject({ param: 'recurring[meter]' });
  const price = await meteredPrice();
  await expect(
    offline.stripe.subscriptions.create({
      customer: catalog.customer.id,
      items: [{ price: price.id, quantity: 2 }],
    }),
  ).rejects.toMatchObject({ param: 'items[0][quantity]' });
  await expect(
    offline.stripe.billing.meters.create({
      display_name: 'Again',
      event_name: 'calls',
      default_aggregation: { formula: 'sum' },
    }),
  ).rejects.toMatchObject({ param: 'event_name' });
});
