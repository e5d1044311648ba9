import type Stripe from 'stripe';

import { seed, startOffline, subscribe, type Catalog, type Offline } from './harness.test-support.ts';

const day = 86_400;
let offline: Offline;
let catalog: Catalog;
beforeEach(async () => {
  offline = await startOffline();
  catalog = await seed(offline.stripe);
});
afterEach(() => offline.close());

function itemIdOf(subscription: Stripe.Subscription): string {
  return subscription.items.data[0]?.id ?? '';
}

test('items are added, counted, switched and removed; a new interval starts a new period at once', async () => {
  const { stripe } = offline;
  const addOn = await stripe.prices.create({
    product_data: { name: 'Seats' },
    currency: 'usd',
    unit_amount: 500,
    recurring: { interval: 'month' },
  });
  const subscription = await subscribe(offline, catalog);
  const id = itemIdOf(subscription);
  const added = await stripe.subscriptions.update(subscription.id, {
    items: [{ price: addOn.id, quantity: 3 }],
    proration_behavior: 'none',
  });
  expect(added.items.data.map((item) => [item.price.id, item.quantity])).toEqual([
    [catalog.monthly.id, 1],
    [addOn.id, 3],
  ]);
  const seats = added.items.data[1]?.id ?? '';
  await stripe.subscriptionItems.update(seats, { quantity: 5, proration_behavior: 'none' });
  await stripe.subscriptionItems.del(seats, { proration_behavior: 'none' });
  const switched = await stripe.subscriptions.update(subscription.id, {
    items: [{ id, price: catalog.yearly.id }],
    proration_behavior: 'none',
    expand: ['latest_invoice'],
  });
  expect(switched.items.data).toHaveLength(1);
  expect(itemIdOf(switched)).toBe(id);
  const item = switched.items.data[0];
  expect((item?.current_period_end ?? 0) - (item?.current_period_start ?? 0)).toBeGreaterThan(364 * day);
  expect(switched.latest_invoice).toMatchObject({
    billing_reason: 'subscription_update',
    amount_paid: 20_000,
  });
});

test('items with different intervals have periods of their own, and cancel at the earliest end', async () => {
  const subscription = await offline.stripe.subscriptions.create({
    customer: catalog.customer.id,
    items: [{ price: catalog.monthly.id }, { price: catalog.yearly.id }],
  });
  const ends = subscription.items.data.map((item) => item.current_period_end);
  expect(new Set(ends).size).toBe(2);
  const ending = await offline.stripe.subscriptions.update(subscription.id, { cancel_at_period_end: true });
  expect(ending.cancel_at).toBe(Math.min(...ends));
});

test('a schedule switches the plan at its phase, and is released after the last', async () => {
  const { stripe } = offline;
  const subscription = await subscribe(offline, catalog);
  const schedule = await stripe.subscriptionSchedules.create({ from_subscription: subscription.id });
  const [phase] = schedule.phases;
  if (phase === undefined) throw new Error('no phase');
  await stripe.subscriptionSchedules.update(schedule.id, {
    phases: [
      {
        items: [{ price: catalog.monthly.id, quantity: 1 }],
        start_date: phase.start_date,
        end_date: phase.end_date,
      },
      {
        items: [{ price: catalog.monthly.id, quantity: 4 }],
        duration: { interval: 'month', interval_count: 1 },
      },
    ],
  });
  await offline.control('clock', { to: phase.end_date });
  const switched = await stripe.subscriptions.retrieve(subscription.id, { expand: ['latest_invoice'] });
  expect(switched.items.data[0]?.quantity).toBe(4);
  expect(switched.latest_invoice).toMatchObject({ amount_paid: 8000 });
  await offline.advance(32 * day);
  expect(await stripe.subscriptionSchedules.retrieve(schedule.id)).toMatchObject({ status: 'released' });
  expect(await stripe.subscriptions.retrieve(subscription.id)).toMatchObject({
    status: 'active',
    schedule: null,
  });
});

test('deleting a customer ends the subscriptions and leaves a tombstone', async () => {
  const subscription = await subscribe(offline, catalog);
  const gone = await offline.stripe.customers.del(catalog.customer.id);
  expect(gone).toMatchObject({ id: catalog.customer.id, object: 'customer', deleted: true });
  expect(await offline.stripe.customers.retrieve(catalog.customer.id)).toMatchObject({ deleted: true });
  expect(await offline.stripe.subscriptions.retrieve(subscription.id)).toMatchObject({ status: 'canceled' });
  expect((await offline.eventTypes()).slice(-2)).toEqual([
    'customer.subscription.deleted',
    'customer.deleted',
  ]);
  await expect(
    offline.stripe.billingPortal.sessions.create({ customer: catalog.customer.id }),
  ).rejects.toMatchObject({ code: 'resource_missing', param: 'customer' });
});

test('the portal page cancels by cancel_at, and takes that back', async () => {
  const subscription = await subscribe(offline, catalog);
  const portal = await offline.stripe.billingPortal.sessions.create({
    customer: catalog.customer.id,
    return_url: 'http://127.0.0.1:9/account',
  });
  expect(await (await fetch(portal.url)).text()).toContain('Cancel subscription');
  await fetch(`${portal.url}/subscriptions/${subscription.id}/cancel`, { method: 'POST' });
  const ending = await offline.stripe.subscriptions.retrieve(subscription.id);
  expect(ending).toMatchObject({
    cancel_at: ending.items.data[0]?.current_period_end,
    cancel_at_period_end: false,
  });
  await fetch(`${portal.url}/subscriptions/${subscription.id}/keep`, { method: 'POST' });
  expect(await offline.stripe.subscriptions.retrieve(subscription.id)).toMatchObject({ cancel_at: null });
});
