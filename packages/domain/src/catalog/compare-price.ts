import type { FieldProblem } from '../errors.ts';
import type { PriceInterval, StripePriceTerms, UsageType } from '../stripe/price.ts';

/** What the catalog says of a price that Stripe knows as well. */
export type PriceTerms = {
  amount: number | null;
  currency: string;
  interval: PriceInterval;
  intervalCount: number;
  /** Null: paid once, or not known. */
  usageType: UsageType | null;
};

/** A part of it: what a request gives. Undefined: not given. */
export type GivenTerms = { [Field in keyof PriceTerms]: PriceTerms[Field] | undefined };

type PriceField = { path: string; given: unknown; stripe: unknown };

/** As a year is twelve months and a week seven days, a price can be named in two ways. */
function lengthOf(interval: PriceInterval, count: number): string {
  if (interval === 'year') return `month ${12 * count}`;
  return interval === 'week' ? `day ${7 * count}` : `${interval} ${count}`;
}

/** Where Stripe has no fixed amount, 0 stands for none, and what a unit of usage costs is no contradiction. */
function isSameAmount(given: number | null, stripe: StripePriceTerms): boolean {
  if (stripe.amount !== null) return given === stripe.amount;
  return given === null || given === 0 || given === stripe.usageAmount;
}

function intervalDifferences(given: GivenTerms, stripe: StripePriceTerms): PriceField[] {
  const { interval = stripe.interval } = given;
  const intervalCount = given.intervalCount ?? (interval === stripe.interval ? stripe.intervalCount : 1);
  if (lengthOf(interval, intervalCount) === lengthOf(stripe.interval, stripe.intervalCount)) return [];
  return [
    { path: 'interval', given: given.interval, stripe: stripe.interval },
    { path: 'interval_count', given: given.intervalCount, stripe: stripe.intervalCount },
  ].filter((field) => field.given !== undefined && field.given !== field.stripe);
}

/** The given fields that contradict Stripe's price. */
export function priceDifferences(given: GivenTerms, stripe: StripePriceTerms): PriceField[] {
  const { amount, currency, usageType } = given;
  const differs = [
    {
      path: 'amount',
      given: amount,
      stripe: stripe.amount,
      isSame: amount === undefined || isSameAmount(amount, stripe),
    },
    {
      path: 'currency',
      given: currency,
      stripe: stripe.currency,
      isSame: currency === undefined || currency === stripe.currency,
    },
    {
      path: 'usage_type',
      given: usageType,
      stripe: stripe.usageType,
      isSame: usageType === undefined || usageType === null || usageType === stripe.usageType,
    },
  ];
  return [
    ...differs.filter(({ isSame }) => !isSame).map(({ isSame: _isSame, ...field }) => field),
    ...intervalDifferences(given, stripe),
  ];
}

/** The same as problems of a request's fields. */
export const toFieldProblems = (fields: readonly PriceField[]): FieldProblem[] =>
  fields.map(({ path, stripe }) => ({ path, message: `is ${JSON.stringify(stripe)} at Stripe` }));

/** What the catalog stores of fields that do not contradict Stripe: what is not given is Stripe's. */
export function withStripeTerms(given: GivenTerms, stripe: StripePriceTerms): PriceTerms {
  const interval = given.interval ?? stripe.interval;
  return {
    amount: stripe.amount,
    currency: stripe.currency,
    interval,
    intervalCount: given.intervalCount ?? (interval === stripe.interval ? stripe.intervalCount : 1),
    usageType: stripe.usageType,
  };
}
