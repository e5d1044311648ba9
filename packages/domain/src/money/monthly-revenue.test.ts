import * as fc from 'fast-check';
import { smallestUnitsOf } from './currencies.ts';
import { fraction, fromDecimal, rounded } from './fraction.ts';
import { monthlyRevenue } from './monthly-revenue.ts';
import type { RevenueGroup, RevenueItem, RunningCoupon } from './monthly-revenue.ts';

const item = (parts: Partial<RevenueItem> = {}): RevenueItem => ({
  unitAmount: '1000',
  currency: 'usd',
  interval: 'month',
  intervalCount: 1,
  usageType: 'licensed',
  quantity: '1',
  coupons: [],
  ...parts,
});

const coupon = (parts: Partial<RunningCoupon>): RunningCoupon => ({
  percentOff: null,
  amountOff: null,
  currency: null,
  duration: 'forever',
  hasEnded: false,
  ...parts,
});

const group = (items: RevenueItem[], parts: Partial<RevenueGroup> = {}): RevenueGroup => ({
  count: 1,
  items,
  coupons: [],
  ...parts,
});

const usd = (amount: number) => [{ currency: 'usd', amount }];

test.each<[rule: string, groups: RevenueGroup[], revenue: { currency: string; amount: number }[]]>([
  ['nobody', [], []],
  ['a month', [group([item()])], usd(1000)],
  ['a quarter is no month', [group([item({ unitAmount: '3000', intervalCount: 3 })])], usd(1000)],
  ['a year is a twelfth', [group([item({ unitAmount: '10000', interval: 'year' })])], usd(833)],
  ['two years', [group([item({ unitAmount: '10000', interval: 'year', intervalCount: 2 })])], usd(417)],
  ['a week is 52 twelfths', [group([item({ interval: 'week' })])], usd(4333)],
  ['two weeks', [group([item({ interval: 'week', intervalCount: 2 })])], usd(2167)],
  ['a day is 365 twelfths', [group([item({ interval: 'day' })])], usd(30_417)],
  ['30 days', [group([item({ interval: 'day', intervalCount: 30 })])], usd(1014)],
  ['quantity', [group([item({ quantity: '7' })])], usd(7000)],
  ['quantity 0', [group([item({ quantity: '0' })])], usd(0)],
  ['many alike', [group([item()], { count: 1_000_000 })], usd(1_000_000_000)],
  ['metered', [group([item({ usageType: 'metered' })])], []],
  ['tiers', [group([item({ unitAmount: null })])], []],
  ['a metered part beside a fixed one', [group([item(), item({ usageType: 'metered' })])], usd(1000)],
  ['fractions of a cent', [group([item({ unitAmount: '0.5', quantity: '5000' })])], usd(2500)],
  [
    'rounded once: three thirds are one',
    [1, 2, 3].map(() => group([item({ unitAmount: '4', interval: 'year' })])),
    usd(1),
  ],
  ['a half goes up', [group([item({ unitAmount: '6', interval: 'year' })])], usd(1)],
  [
    'yen and dollars are not added up',
    [group([item()]), group([item({ currency: 'jpy' })])],
    [
      { currency: 'jpy', amount: 1000 },
      { currency: 'usd', amount: 1000 },
    ],
  ],
  [
    'beyond doubles',
    [group([item({ unitAmount: '700000000003', quantity: '12867' })])],
    usd(9_006_900_000_038_601),
  ],
  ['25 % for ever', [group([item()], { coupons: [coupon({ percentOff: '25' })] })], usd(750)],
  ['33.33 % for ever', [group([item()], { coupons: [coupon({ percentOff: '33.33' })] })], usd(667)],
  ['100 %', [group([item()], { coupons: [coupon({ percentOff: '100' })] })], usd(0)],
  ['once', [group([item()], { coupons: [coupon({ percentOff: '25', duration: 'once' })] })], usd(1000)],
  [
    'repeating, running',
    [group([item()], { coupons: [coupon({ percentOff: '25', duration: 'repeating' })] })],
    usd(750),
  ],
  [
    'repeating, over',
    [group([item()], { coupons: [coupon({ percentOff: '25', duration: 'repeating', hasEnded: true })] })],
    usd(1000),
  ],
  ['a sum', [group([item()], { coupons: [coupon({ amountOff: 300, currency: 'usd' })] })], usd(700)],
  [
    'a sum beyond the price',
    [group([item()], { coupons: [coupon({ amountOff: 3000, currency: 'usd' })] })],
    usd(0),
  ],
  [
    'a sum of another currency',
    [group([item()], { coupons: [coupon({ amountOff: 300, currency: 'eur' })] })],
    usd(1000),
  ],
  [
    'a sum comes off once, not off each of the quantity',
    [group([item({ quantity: '3' })], { coupons: [coupon({ amountOff: 300, currency: 'usd' })] })],
    usd(2700),
  ],
  [
    'a sum off each invoice of a year',
    [
      group([item({ unitAmount: '13200', interval: 'year' })], {
        coupons: [coupon({ amountOff: 1200, currency: 'usd' })],
      }),
    ],
    usd(1000),
  ],
  [
    'a sum off several items',
    [
      group([item({ unitAmount: '200' }), item()], {
        coupons: [coupon({ amountOff: 300, currency: 'usd' })],
      }),
    ],
    usd(900),
  ],
  [
    'a sum with mixed intervals: off what is billed each month',
    [
      group([item({ unitAmount: '12000', interval: 'year' }), item({ unitAmount: '500' })], {
        coupons: [coupon({ amountOff: 300, currency: 'usd' })],
      }),
    ],
    usd(1200),
  ],
  [
    'one after the other',
    [
      group([item()], {
        coupons: [coupon({ percentOff: '50' }), coupon({ amountOff: 100, currency: 'usd' })],
      }),
    ],
    usd(400),
  ],
  ['of one item', [group([item({ coupons: [coupon({ percentOff: '50' })] }), item()])], usd(1500)],
  [
    'for each of many alike',
    [group([item()], { count: 3, coupons: [coupon({ percentOff: '50' })] })],
    usd(1500),
  ],
])('%s', (_rule, groups, revenue) => {
  expect(monthlyRevenue(groups)).toEqual(revenue);
});

test('what is summed by price is what is counted one by one', () => {
  const one = fc.record({
    unitAmount: fc.integer({ min: 0, max: 10_000 }).map(String),
    interval: fc.constantFrom('day' as const, 'week' as const, 'month' as const, 'year' as const),
    intervalCount: fc.integer({ min: 1, max: 12 }),
    currency: fc.constantFrom('usd', 'jpy'),
  });
  fc.assert(
    fc.property(
      one,
      fc.array(fc.integer({ min: 0, max: 50 }), { minLength: 1, maxLength: 20 }),
      (parts, quantities) => {
        const apart = quantities.map((quantity) => group([item({ ...parts, quantity: String(quantity) })]));
        const sum = quantities.reduce((all, quantity) => all + quantity, 0);
        expect(monthlyRevenue([group([item({ ...parts, quantity: String(sum) })])])).toEqual(
          monthlyRevenue(apart),
        );
      },
    ),
  );
});

test.each([
  ['1', 1n],
  ['0.5', 1n],
  ['0.499999999999', 0n],
  ['1.5', 2n],
  ['0', 0n],
])('%s is rounded to %s', (decimal, whole) => {
  expect(rounded(fromDecimal(decimal))).toBe(whole);
});

test.each([
  [-1n, 2n, 0n],
  [-3n, 2n, -1n],
  [-7n, 4n, -2n],
])('%s/%s is rounded to %s', (numerator, denominator, whole) => {
  expect(rounded(fraction(numerator, denominator))).toBe(whole);
});

test.each([
  ['usd', 100],
  ['jpy', 1],
  ['mga', 1],
  ['kwd', 1000],
  ['isk', 100],
  ['ugx', 100],
])('%s has %s smallest units', (currency, units) => {
  expect(smallestUnitsOf(currency)).toBe(units);
});
