import type { Discount } from '../stripe/discount.ts';
import { noItemPrice } from '../stripe/price.ts';
import { incomingOf, rowOf } from './snapshots.test-support.ts';
import { applyLookup, stepSnapshot } from './step-subscription.ts';
import type { SubscriptionRow } from './subscription-row.ts';

const terms = { percentOff: '50', amountOff: null, currency: null, duration: 'forever' };
const named: Discount = { discountId: 'di_1', itemId: null, end: null, coupon: null };
const known: Discount = { ...named, coupon: terms };

function next(row: SubscriptionRow, parts: Parameters<typeof incomingOf>[0]): SubscriptionRow {
  const step = stepSnapshot(row, incomingOf(parts), { lookup: null, now: 50_000 });
  if (step.kind !== 'write') throw new Error('it is decided without Stripe');
  return step.row;
}

test('a coupon that an event only names is looked up soon, and nothing waits for it', () => {
  const row = next(rowOf(incomingOf({ created: 1_000, discounts: [] })), {
    created: 2_000,
    eventId: 'evt_2',
    discounts: [named],
  });
  expect(row).toMatchObject({ confirmed: true, discounts: [named] });
  expect(row.recheckAt).toBeGreaterThan(50_000);
  const looked = applyLookup(row, incomingOf({ created: 0, discounts: [known] }).snapshot, {
    at: 2_000,
    eventId: 'evt_2',
    now: 60_000,
  });
  expect(looked).toMatchObject({ discounts: [known], recheckAt: null });
});

test('a coupon that is known is not asked for again', () => {
  const row = next(rowOf(incomingOf({ created: 1_000, discounts: [known] })), {
    created: 2_000,
    eventId: 'evt_2',
    discounts: [named],
  });
  expect(row).toMatchObject({ discounts: [known], recheckAt: null });
});

test('an ended subscription is not asked about', () => {
  const row = next(rowOf(incomingOf({ created: 1_000 })), {
    created: 2_000,
    eventId: 'evt_2',
    status: 'canceled',
    discounts: [named],
  });
  expect(row.recheckAt).toBeNull();
});

test('a discount given in the second of the snapshot before is not overlooked', () => {
  const row = rowOf(incomingOf({ created: 1_000, discounts: [] }));
  const tie = incomingOf({ created: 1_000, eventId: 'evt_2', discounts: [named] });
  expect(stepSnapshot(row, tie, { lookup: null, now: 0 })).toEqual({ kind: 'needs_lookup' });
});

const item = {
  itemId: 'si_1',
  stripePriceId: 'price_1',
  quantity: 1,
  currentPeriodStart: 0,
  currentPeriodEnd: 2_000,
  firstPeriodStart: 0,
};
const paid = {
  unitAmount: '1000',
  currency: 'usd',
  interval: 'month',
  intervalCount: 1,
  usageType: 'licensed',
  billedQuantity: null,
  stripeProductId: null,
} as const;

test('an event of an older version of the service leaves known prices and coupons as they were', () => {
  const row = rowOf(incomingOf({ created: 1_000, discounts: [known], items: [{ ...item, ...paid }] }));
  const same = next(row, {
    created: 2_000,
    eventId: 'evt_2',
    discounts: null,
    items: [{ ...item, ...noItemPrice }],
  });
  expect(same).toMatchObject({ discounts: [known], items: [{ ...item, ...paid }] });
  const other = { ...item, stripePriceId: 'price_2', ...noItemPrice };
  expect(next(row, { created: 2_000, eventId: 'evt_2', items: [other] }).items).toEqual([other]);
});
