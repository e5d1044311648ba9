import { z } from 'zod';
import { id } from '../ids.ts';
import type { Instant } from '../time.ts';
import { amountOrNull, decimalOrNull, secondsOrNull, words } from './fields.ts';

/** What a coupon takes off: a percentage (a decimal) or a sum, in the smallest unit of its currency. */
export type CouponTerms = {
  percentOff: string | null;
  amountOff: number | null;
  currency: string | null;
  /** Stripe: `forever`, `once` or `repeating`. */
  duration: string;
};

/** A discount of a subscription. Events carry only its id. */
export type Discount = {
  discountId: string;
  /** Null: of the whole subscription. */
  itemId: string | null;
  /** When the months of a `repeating` coupon are over. */
  end: Instant | null;
  /** Null: not known yet; Stripe is asked for it. */
  coupon: CouponTerms | null;
};

const coupon = z
  .object({
    percent_off: decimalOrNull,
    amount_off: amountOrNull,
    currency: words,
    duration: words,
  })
  .transform(({ percent_off: percentOff, amount_off: amountOff, currency, duration }): CouponTerms => ({
    percentOff,
    amountOff,
    currency,
    duration: duration ?? 'once',
  }));

const couponOrNull = z
  .union([id.transform(() => null), coupon])
  .nullish()
  .catch(null);

/** An id, or a whole discount: with its coupon in it (until 2025), or as its source, where that is expanded. */
export const discount = z.union([
  id.transform((discountId): Discount => ({ discountId, itemId: null, end: null, coupon: null })),
  z
    .object({
      id,
      end: secondsOrNull,
      coupon: couponOrNull,
      source: z.object({ coupon: couponOrNull }).nullish().catch(null),
    })
    .transform((whole): Discount => ({
      discountId: whole.id,
      itemId: null,
      end: whole.end,
      coupon: whole.source?.coupon ?? whole.coupon ?? null,
    })),
]);

const keptOfCoupon = { percent_off: true, amount_off: true, currency: true, duration: true } as const;

/** The fields of a discount that the projection of an event keeps. */
export const keptOfDiscount = {
  id: true,
  end: true,
  coupon: keptOfCoupon,
  source: { coupon: keptOfCoupon },
} as const;

/** The discounts that a snapshot has; what is known of their coupons stays, as a discount keeps its coupon. */
export function withKnownCoupons(
  discounts: readonly Discount[],
  known: readonly Discount[] | null,
): Discount[] {
  const byId = new Map((known ?? []).map((one) => [one.discountId, one]));
  return discounts.map((one) => {
    const before = byId.get(one.discountId);
    return one.coupon === null && before !== undefined
      ? { ...one, end: before.end, coupon: before.coupon }
      : one;
  });
}

/** Whether Stripe has to be asked for a coupon. */
export const lacksCoupons = (discounts: readonly Discount[] | null): boolean =>
  (discounts ?? []).some((one) => one.coupon === null);
