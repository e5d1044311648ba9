import { stripePriceTerms } from '../stripe/price.ts';
import { priceDifferences, withStripeTerms } from './compare-price.ts';
import type { GivenTerms } from './compare-price.ts';

type Recurring = { interval: string; interval_count: number; usage_type: string };
const monthly: Recurring = { interval: 'month', interval_count: 1, usage_type: 'licensed' };

const stripe = (parts: object = {}, recurring: Partial<Recurring> | null = {}) =>
  stripePriceTerms.parse({
    id: 'price_1',
    currency: 'usd',
    billing_scheme: 'per_unit',
    unit_amount: 1000,
    unit_amount_decimal: '1000',
    recurring: recurring === null ? null : { ...monthly, ...recurring },
    ...parts,
  });

const given = (parts: Partial<GivenTerms> = {}): GivenTerms => ({
  amount: undefined,
  currency: undefined,
  interval: undefined,
  intervalCount: undefined,
  usageType: undefined,
  ...parts,
});

const quarterly = stripe({}, { interval_count: 3 });
const metered = stripe({ unit_amount: 5, unit_amount_decimal: '5' }, { usage_type: 'metered' });
const tiered = stripe({ unit_amount: null, unit_amount_decimal: null, billing_scheme: 'tiered' });
const subCent = stripe({ unit_amount: null, unit_amount_decimal: '0.5' });
const once = stripe({}, null);

test.each<[what: string, terms: ReturnType<typeof stripe>, parts: Partial<GivenTerms>, paths: string[]]>([
  ['nothing is given', stripe(), {}, []],
  ['all is the same', stripe(), { amount: 1000, currency: 'usd', interval: 'month', intervalCount: 1 }, []],
  ['the amount', stripe(), { amount: 999 }, ['amount']],
  ['no amount where there is one', stripe(), { amount: null }, ['amount']],
  ['0 where there is one', stripe(), { amount: 0 }, ['amount']],
  ['the currency', stripe(), { currency: 'eur' }, ['currency']],
  ['the interval', stripe(), { interval: 'year' }, ['interval']],
  ['once', stripe(), { interval: 'one_time' }, ['interval']],
  ['again and again', once, { interval: 'month' }, ['interval']],
  ['the usage', stripe(), { usageType: 'metered' }, ['usage_type']],
  ['a quarter, count left out', quarterly, { interval: 'month' }, []],
  ['a quarter posing as a month', quarterly, { interval: 'month', intervalCount: 1 }, ['interval_count']],
  [
    'everything',
    stripe(),
    { amount: 1, currency: 'eur', interval: 'week', intervalCount: 2 },
    ['amount', 'currency', 'interval', 'interval_count'],
  ],
  ['twelve months are a year', stripe({}, { interval_count: 12 }), { interval: 'year' }, []],
  ['a year is twelve months', stripe({}, { interval: 'year' }), { interval: 'month', intervalCount: 12 }, []],
  [
    'two weeks are 14 days',
    stripe({}, { interval: 'week', interval_count: 2 }),
    { interval: 'day', intervalCount: 14 },
    [],
  ],
  ['metered: null', metered, { amount: null }, []],
  ['metered: 0', metered, { amount: 0 }, []],
  ['metered: what a unit costs', metered, { amount: 5 }, []],
  ['metered: another amount', metered, { amount: 6 }, ['amount']],
  ['tiers: 0', tiered, { amount: 0 }, []],
  ['tiers: an amount', tiered, { amount: 10 }, ['amount']],
  ['less than a cent: 0', subCent, { amount: 0 }, []],
  ['free: 0', stripe({ unit_amount: 0, unit_amount_decimal: '0' }), { amount: 0 }, []],
])('%s', (_what, terms, parts, paths) => {
  expect(priceDifferences(given(parts), terms).map(({ path }) => path)).toEqual(paths);
});

test.each<[what: string, terms: ReturnType<typeof stripe>, parts: Partial<GivenTerms>, filled: object]>([
  [
    'all',
    stripe(),
    {},
    { amount: 1000, currency: 'usd', interval: 'month', intervalCount: 1, usageType: 'licensed' },
  ],
  ['a quarter', quarterly, { interval: 'month' }, { interval: 'month', intervalCount: 3 }],
  [
    'a year named as such',
    stripe({}, { interval_count: 12 }),
    { interval: 'year' },
    { interval: 'year', intervalCount: 1 },
  ],
  ['metered', metered, { amount: 0 }, { amount: null, usageType: 'metered' }],
  ['tiers', tiered, {}, { amount: null, usageType: 'licensed' }],
  ['once', once, {}, { amount: 1000, interval: 'one_time', intervalCount: 1, usageType: null }],
])('%s is as Stripe has it', (_what, terms, parts, filled) => {
  expect(withStripeTerms(given(parts), terms)).toMatchObject(filled);
});
