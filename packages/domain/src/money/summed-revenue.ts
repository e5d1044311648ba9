import type { CouponTerms } from '../stripe/discount.ts';
import type { RecurringInterval, UsageType } from '../stripe/price.ts';
import type { Instant } from '../time.ts';
import { monthlyRevenue } from './monthly-revenue.ts';
import type { Money, RevenueGroup, RevenueItem } from './monthly-revenue.ts';

type Interval = RecurringInterval | 'one_time';

/** `nth`: of the discount's end among those of its subscription. */
type SummedCoupon = CouponTerms & { nth: number };

/** What subscriptions that are alike pay for one item. */
export type SummedItem = {
  /** Stripe's id of it. */
  price: string;
  /** Of a price that is not mapped, Stripe's product. Absent: it is mapped, or not known. */
  product?: string;
  unitAmount: string | null;
  /** Null: Stripe's terms are not known, the catalog's count. */
  currency: string | null;
  interval: Interval | null;
  intervalCount: number | null;
  usageType: UsageType | null;
  /** For one subscription; null: the sum is in `quantities`. */
  quantity: string | null;
  pastDueSince: Instant | null;
  coupons: readonly SummedCoupon[];
};

/** `count` subscriptions that pay alike. */
export type SummedGroup = {
  count: number;
  /** Whether each discount is over. */
  ended: readonly boolean[];
  /** Of each item, of all these subscriptions together. */
  quantities: readonly string[];
  terms: {
    items: readonly SummedItem[];
    coupons: readonly SummedCoupon[];
    /** The subscription's own start of it is not known: each item counts by its own. */
    isPastDueByItem: boolean;
  };
};

/** A price of the project's catalog. */
export type CatalogTerms = {
  stripePriceId: string;
  amount: string | null;
  currency: string;
  interval: Interval;
  intervalCount: number;
  usageType: UsageType | null;
};

export type SummedRevenue = {
  mrr: Money[];
  /** The currency of most subscriptions that pay; of equally many the first by its code. */
  mainCurrency: string | null;
};

type Pricing = {
  catalog: ReadonlyMap<string, CatalogTerms>;
  products: ReadonlySet<string>;
  now: Instant;
  graceMs: number;
};

/** Of items that the project's catalog has, by their price or its Stripe product, those that recur and are paid in time. */
function toItems(group: SummedGroup, { catalog, products, now, graceMs }: Pricing): RevenueItem[] {
  const { terms, quantities, ended } = group;
  return terms.items.flatMap((item, index): RevenueItem[] => {
    const price = catalog.get(item.price);
    if (price === undefined && (item.product === undefined || !products.has(item.product))) return [];
    if (terms.isPastDueByItem && (item.pastDueSince ?? now) <= now - graceMs) return [];
    const mapped = price === undefined ? null : { ...price, unitAmount: price.amount };
    const own = item.currency === null ? mapped : item;
    if (own === null) return [];
    const { unitAmount, currency, interval, intervalCount, usageType } = own;
    if (currency === null || interval === null || interval === 'one_time' || intervalCount === null)
      return [];
    const quantity = item.quantity ?? quantities[index] ?? '0';
    const coupons = item.coupons.map((one) => ({ ...one, hasEnded: ended[one.nth] === true }));
    return [{ unitAmount, currency, interval, intervalCount, usageType, quantity, coupons }];
  });
}

/** What the sums of a project's subscriptions are worth by the catalog, the policy and the time. */
export function summedRevenue(
  groups: readonly SummedGroup[],
  {
    prices,
    stripeProducts = [],
    now,
    graceMs,
  }: {
    prices: readonly CatalogTerms[];
    /** Those that are a product's as a whole. */
    stripeProducts?: readonly string[];
    now: Instant;
    graceMs: number;
  },
): SummedRevenue {
  const catalog = new Map(prices.map((one) => [one.stripePriceId, one]));
  const pricing = { catalog, products: new Set(stripeProducts), now, graceMs };
  const subscriptions = new Map<string, number>();
  const paid = groups.map((group): RevenueGroup => {
    const items = toItems(group, pricing);
    for (const currency of new Set(items.map((item) => item.currency)))
      subscriptions.set(currency, (subscriptions.get(currency) ?? 0) + group.count);
    const coupons = group.terms.coupons.map((one) => ({ ...one, hasEnded: group.ended[one.nth] === true }));
    // Where the terms have no quantities, those of all are summed already.
    return { count: group.quantities.length > 0 ? 1 : group.count, items, coupons };
  });
  const [most] = [...subscriptions].toSorted(
    ([a, countOfA], [b, countOfB]) => countOfB - countOfA || (a < b ? -1 : 1),
  );
  return { mrr: monthlyRevenue(paid), mainCurrency: most?.[0] ?? null };
}
