import type { CouponTerms } from '../stripe/discount.ts';
import type { RecurringInterval, UsageType } from '../stripe/price.ts';
import { fraction, fromDecimal, isLess, least, minus, plus, rounded, times, zero } from './fraction.ts';
import type { Fraction } from './fraction.ts';

/** A coupon on what is paid now; `hasEnded`: its months are over. */
export type RunningCoupon = CouponTerms & { hasEnded: boolean };

/** A price as it is paid for an item. Amounts are decimals, in the currency's smallest unit. */
export type RevenueItem = {
  /** For one of the quantity; null: Stripe has no fixed one (tiers). */
  unitAmount: string | null;
  currency: string;
  interval: RecurringInterval;
  intervalCount: number;
  usageType: UsageType | null;
  quantity: string;
  /** Of this item alone. */
  coupons: readonly RunningCoupon[];
};

/** `count` subscriptions alike, each with these items and, on the whole of them, these coupons. */
export type RevenueGroup = {
  count: number;
  items: readonly RevenueItem[];
  coupons: readonly RunningCoupon[];
};

/** An amount in a currency's smallest unit. */
export type Money = { currency: string; amount: number };

/** The length of an interval in months: a year has 52 weeks, or 365 days. */
const monthsOf: Record<RecurringInterval, Fraction> = {
  day: fraction(12n, 365n),
  week: fraction(12n, 52n),
  month: fraction(1n),
  year: fraction(12n),
};

/** What an item costs each time it is billed, and how often in a month that is. */
type Line = { currency: string; amount: Fraction; perMonth: Fraction };

function toLine(item: RevenueItem): Line[] {
  const { unitAmount, usageType, currency } = item;
  if (unitAmount === null || usageType === 'metered') return [];
  const months = times(monthsOf[item.interval], fraction(BigInt(item.intervalCount)));
  const line = {
    currency,
    amount: times(fromDecimal(unitAmount), fraction(BigInt(item.quantity))),
    perMonth: fraction(months.denominator, months.numerator),
  };
  return applyCoupons([line], item.coupons);
}

const hundred = fraction(100n);

/** `once` takes off one invoice, which is nothing that recurs. */
const counts = ({ duration, hasEnded }: RunningCoupon): boolean =>
  duration === 'forever' || (duration === 'repeating' && !hasEnded);

function takeShare(lines: readonly Line[], percentOff: string): Line[] {
  const kept = times(minus(hundred, least(hundred, fromDecimal(percentOff))), fraction(1n, 100n));
  return lines.map((line) => ({ ...line, amount: times(line.amount, kept) }));
}

/** A sum comes off each invoice, once: off the lines that are billed most often, one after the other. */
function takeSum(lines: readonly Line[], coupon: { amountOff: number; currency: string | null }): Line[] {
  const mostOften = lines.reduce((most, { perMonth }) => (isLess(most, perMonth) ? perMonth : most), zero);
  let left = fraction(BigInt(coupon.amountOff));
  return lines.map((line) => {
    if (isLess(line.perMonth, mostOften) || line.currency !== coupon.currency) return line;
    const taken = least(left, line.amount);
    left = minus(left, taken);
    return { ...line, amount: minus(line.amount, taken) };
  });
}

function applyCoupons(lines: readonly Line[], coupons: readonly RunningCoupon[]): Line[] {
  return coupons.filter(counts).reduce<Line[]>(
    (left, { percentOff, amountOff, currency }) => {
      if (percentOff !== null) return takeShare(left, percentOff);
      return amountOff === null ? left : takeSum(left, { amountOff, currency });
    },
    [...lines],
  );
}

/**
 * Monthly recurring revenue by currency, in the order of their codes: what the items cost for a month by their true
 * intervals, less the coupons that last. Rounded once per currency. Parts without a fixed amount (metered, tiers) do not
 * count; the caller leaves out subscriptions that pay nothing (trials, paused with `void`, past due beyond grace).
 */
export function monthlyRevenue(groups: readonly RevenueGroup[]): Money[] {
  const sums = new Map<string, Fraction>();
  for (const { count, items, coupons } of groups) {
    for (const { currency, amount, perMonth } of applyCoupons(items.flatMap(toLine), coupons)) {
      const all = times(times(amount, perMonth), fraction(BigInt(count)));
      sums.set(currency, plus(sums.get(currency) ?? zero, all));
    }
  }
  return [...sums]
    .map(([currency, sum]) => ({ currency, amount: Number(rounded(sum)) }))
    .sort((a, b) => (a.currency < b.currency ? -1 : 1));
}
