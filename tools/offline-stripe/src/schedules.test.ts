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
    unit_amount: 5_000,
    recurring: { interval: 'month' },
  });
});
afterEach(() => offline.close());

type Planned = {
  subscription: Stripe.Subscription;
  schedule: Stripe.SubscriptionSchedule;
  end: number;
};

/** A subscription of the dear plan that goes down to the other at its period's end. */
async function planDowngrade(
  more: Partial<Stripe.SubscriptionScheduleUpdateParams.Phase> = {},
): Promise<Planned> {
  const { stripe } = offline;
  const coupon = await stripe.coupons.create({ percent_off: 10, duration: 'forever' });
  const subscription = await stripe.subscriptions.create({
    customer: catalog.customer.id,
    items: [{ price: dear.id }],
    discounts: [{ coupon: coupon.id }],
  });
  const created = await stripe.subscriptionSchedules.create({ from_subscription: subscription.id });
  const [current] = created.phases;
  if (current === undefined) throw new Error('no phase');
  const schedule = await stripe.subscriptionSchedules.update(created.id, {
    end_behavior: 'release',
    phases: [
      {
        items: [{ price: dear.id, quantity: 1 }],
        discounts: current.discounts.map(({ discount }) => ({ discount: idOf(discount) })),
        start_date: current.start_date,
        end_date: current.end_date,
      },
      { items: [{ price: catalog.monthly.id, quantity: 1 }], proration_behavior: 'none', ...more },
    ],
  });
  return { subscription, schedule, end: current.end_date };
}

test('the current phase shows what the subscription has; the next one comes at its time, without proration', async () => {
  const { stripe } = offline;
  const { subscription, schedule, end } = await planDowngrade();
  expect(schedule.phases.map(({ items }) => items.map(({ price }) => price))).toEqual([
    [dear.id],
    [catalog.monthly.id],
  ]);
  expect((await stripe.subscriptions.retrieve(subscription.id)).schedule).toBe(schedule.id);
  const next = await stripe.invoices.createPreview({ subscription: subscription.id });
  expect(next).toMatchObject({ created: end, amount_due: 2_000 });
  await offline.control('clock', { to: end - 60 });
  expect((await stripe.subscriptions.retrieve(subscription.id)).items.data[0]?.price.id).toBe(dear.id);
  await offline.control('clock', { to: end });
  expect(await stripe.subscriptions.retrieve(subscription.id, { expand: ['latest_invoice'] })).toMatchObject({
    items: { data: [{ id: subscription.items.data[0]?.id, price: { id: catalog.monthly.id } }] },
    latest_invoice: { amount_paid: 2_000, lines: { data: [{ amount: 2_000 }] } },
  });
});

test('a phase that does not name the discounts ends them; one that does keeps them', async () => {
  const { stripe } = offline;
  const without = await planDowngrade();
  const [discount] = without.subscription.discounts;
  await offline.control('clock', { to: without.end });
  expect((await stripe.subscriptions.retrieve(without.subscription.id)).discounts).toEqual([]);
  const { subscription, schedule, end } = await planDowngrade();
  const [current, later] = schedule.phases;
  if (current === undefined || later === undefined) throw new Error('two phases expected');
  const kept = { discounts: current.discounts.map((one) => ({ discount: idOf(one.discount) })) };
  await stripe.subscriptionSchedules.update(schedule.id, {
    phases: [
      { items: [{ price: dear.id }], start_date: current.start_date, end_date: current.end_date, ...kept },
      { items: [{ price: catalog.monthly.id }], ...kept },
    ],
  });
  await offline.control('clock', { to: end });
  const after = await stripe.subscriptions.retrieve(subscription.id, { expand: ['latest_invoice'] });
  expect(after.latest_invoice).toMatchObject({ amount_paid: 1_800 });
  expect(after.discounts).toHaveLength(1);
  expect(discount).toBeDefined();
});

test('another interval at the next phase starts a whole period of it', async () => {
  const { stripe } = offline;
  const { subscription, end } = await planDowngrade({ items: [{ price: catalog.yearly.id, quantity: 1 }] });
  await offline.advance(0);
  await offline.control('clock', { to: end });
  const after = await stripe.subscriptions.retrieve(subscription.id, { expand: ['latest_invoice'] });
  const item = after.items.data[0];
  expect((item?.current_period_end ?? 0) - end).toBeGreaterThan(364 * day);
  expect(after.latest_invoice).toMatchObject({ amount_paid: 20_000 });
});

test('the end of a subscription with a schedule is changed through the schedule, or after its release', async () => {
  const { stripe } = offline;
  const { subscription, schedule } = await planDowngrade();
  const cancel = () => stripe.subscriptions.update(subscription.id, { cancel_at_period_end: true });
  await expect(cancel()).rejects.toMatchObject({
    statusCode: 400,
    message: `The subscription is managed by the subscription schedule \`${schedule.id}\`, and updating any cancelation behavior directly is not allowed. Please update the schedule instead.`,
  });
  expect(await stripe.subscriptionSchedules.release(schedule.id)).toMatchObject({
    status: 'released',
    subscription: null,
    released_subscription: subscription.id,
  });
  expect(await cancel()).toMatchObject({ schedule: null, cancel_at_period_end: true });
  await expect(stripe.subscriptionSchedules.release(schedule.id)).rejects.toThrow('`released` status');
});

test('a subscription that is canceled at once takes its schedule with it', async () => {
  const { stripe } = offline;
  const { subscription, schedule } = await planDowngrade();
  await stripe.subscriptions.cancel(subscription.id);
  expect((await stripe.subscriptionSchedules.retrieve(schedule.id)).status).toBe('canceled');
  expect((await offline.eventTypes()).slice(-2)).toEqual([
    'customer.subscription.deleted',
    'subscription_schedule.canceled',
  ]);
  await expect(
    stripe.subscriptionSchedules.create({ from_subscription: subscription.id }),
  ).rejects.toMatchObject({ statusCode: 400, param: 'from_subscription' });
});

test('a schedule that cancels shows the end on its subscription', async () => {
  const { stripe } = offline;
  const { subscription, schedule } = await planDowngrade();
  const ending = await stripe.subscriptionSchedules.update(schedule.id, { end_behavior: 'cancel' });
  const last = ending.phases.at(-1)?.end_date ?? 0;
  expect((await stripe.subscriptions.retrieve(subscription.id)).cancel_at).toBe(last);
  await offline.control('clock', { to: last });
  expect((await stripe.subscriptions.retrieve(subscription.id)).status).toBe('canceled');
  expect((await stripe.subscriptionSchedules.retrieve(schedule.id)).status).toBe('completed');
});

test('a trial goes on only where the phase says so', async () => {
  const { stripe } = offline;
  const trial = await subscribe(offline, catalog, { subscription_data: { trial_period_days: 14 } });
  const schedule = await stripe.subscriptionSchedules.create({ from_subscription: trial.id });
  const [current] = schedule.phases;
  expect(current?.trial_end).toBe(trial.trial_end);
  const phases = (trialEnd: number | undefined): Stripe.SubscriptionScheduleUpdateParams.Phase[] => [
    {
      items: [{ price: catalog.monthly.id }],
      start_date: current?.start_date ?? 0,
      end_date: current?.end_date ?? 0,
      ...(trialEnd === undefined ? {} : { trial_end: trialEnd }),
    },
    { items: [{ price: dear.id }] },
  ];
  await stripe.subscriptionSchedules.update(schedule.id, { phases: phases(trial.trial_end ?? 0) });
  expect((await stripe.subscriptions.retrieve(trial.id)).status).toBe('trialing');
  await stripe.subscriptionSchedules.update(schedule.id, { phases: phases(undefined) });
  expect((await stripe.subscriptions.retrieve(trial.id)).status).toBe('active');
});

test('phases that do not fit together are refused', async () => {
  const { stripe } = offline;
  const { schedule, end } = await planDowngrade();
  const first = { items: [{ price: dear.id }], start_date: schedule.phases[0]?.start_date ?? 0 };
  const update = (phases: Stripe.SubscriptionScheduleUpdateParams.Phase[]) =>
    stripe.subscriptionSchedules.update(schedule.id, { phases });
  await expect(update([{ ...first, start_date: first.start_date + 5, end_date: end }])).rejects.toThrow(
    'You can not modify the start date of the current phase.',
  );
  await expect(
    update([
      { ...first, end_date: end },
      { items: [{ price: dear.id }], start_date: end + 60 },
    ]),
  ).rejects.toMatchObject({ param: 'phases[1][start_date]' });
  await expect(update([{ ...first, end_date: first.start_date }])).rejects.toMatchObject({
    param: 'phases[0][end_date]',
  });
});
