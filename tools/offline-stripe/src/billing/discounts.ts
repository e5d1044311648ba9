import { invalid } from '../errors.ts';
import { emit } from '../events/emit.ts';
import { newId } from '../ids.ts';
import type { Coupon, Discount, InvoiceLine, PromotionCode, Subscription } from '../stripe-objects.ts';
import type { World } from '../world.ts';
import { addIntervals } from './calendar.ts';
import { isCouponUsable } from './promotion-codes.ts';

/** The coupon of a discount as it was when it was redeemed. */
export function couponOf(world: World, discount: Discount): Coupon | undefined {
  return world.tables.discountTerms.get(discount.id)?.coupon;
}

/** A coupon that can be used now, or Stripe's error. */
export function usableCoupon(world: World, id: string, param: string): Coupon {
  const coupon = world.tables.coupons.require(id, param);
  if (!isCouponUsable(world, coupon)) throw invalid(`Coupon ${id} is expired.`, param, 'coupon_expired');
  return coupon;
}

type Redeemed = { customer: string | null; subscription?: string; checkoutSession?: string };

/** A coupon, and the code that it was redeemed with; null: without one. */
export type Redeemable = { coupon: Coupon; code: PromotionCode | null };

function countRedemption(world: World, { coupon, code }: Redeemable): void {
  const times = coupon.times_redeemed + 1;
  world.tables.coupons.update(coupon, {
    times_redeemed: times,
    valid: coupon.max_redemptions === null || times < coupon.max_redemptions,
  });
  if (code === null) return;
  world.tables.promotionCodes.update(code, { times_redeemed: code.times_redeemed + 1 });
}

/** The discount that a coupon gives from now on: for one invoice, some months, or ever. */
export function redeemCoupon(world: World, redeemable: Redeemable, by: Redeemed): Discount {
  const { coupon, code } = redeemable;
  const start = world.clock.now();
  const months = coupon.duration_in_months;
  const month = { interval: 'month', interval_count: 1, meter: null, trial_period_days: null } as const;
  const discount = world.tables.discounts.insert({
    id: newId('di'),
    object: 'discount',
    checkout_session: by.checkoutSession ?? null,
    customer: by.customer,
    customer_account: null,
    end: months === null ? null : addIntervals(start, { ...month, usage_type: 'licensed' }, months),
    invoice: null,
    invoice_item: null,
    promotion_code: code?.id ?? null,
    source: { coupon: coupon.id, type: 'coupon' },
    start,
    subscription: by.subscription ?? null,
    subscription_item: null,
  });
  world.tables.discountTerms.insert({ id: discount.id, coupon });
  countRedemption(world, redeemable);
  if (by.customer !== null) emit(world, 'customer.discount.created', discount);
  return discount;
}

/** What a coupon takes off lines that cost `amounts`: a share of each, or a sum that is spread over them. */
export function takeOff(coupon: Coupon, amounts: readonly number[]): number[] {
  if (coupon.percent_off !== null) {
    const share = coupon.percent_off / 100;
    return amounts.map((amount) => Math.round(amount * share));
  }
  let left = Math.min(
    coupon.amount_off ?? 0,
    amounts.reduce((sum, amount) => sum + amount, 0),
  );
  return amounts.map((amount) => {
    const part = Math.min(amount, left);
    left -= part;
    return part;
  });
}

/** The lines with what each discount takes off them; one discount after the other. */
export function discountLines(
  world: World,
  lines: InvoiceLine[],
  discounts: readonly Discount[],
): InvoiceLine[] {
  let discounted = lines;
  for (const discount of discounts) {
    const coupon = couponOf(world, discount);
    if (coupon === undefined) continue;
    const rest = discounted.map((line) => {
      const taken = (line.discount_amounts ?? []).reduce((sum, { amount }) => sum + amount, 0);
      return line.discountable ? Math.max(0, line.amount - taken) : 0;
    });
    const off = takeOff(coupon, rest);
    discounted = discounted.map((line, index) =>
      (off[index] ?? 0) === 0
        ? line
        : {
            ...line,
            discount_amounts: [
              ...(line.discount_amounts ?? []),
              { amount: off[index] ?? 0, discount: discount.id },
            ],
          },
    );
  }
  return discounted;
}

/** Those of a subscription's discounts that hold now. */
export function discountsInForce(world: World, subscription: Subscription): Discount[] {
  const now = world.clock.now();
  return subscription.discounts
    .map((id) => world.tables.discounts.get(id))
    .filter((discount) => discount !== undefined)
    .filter(({ end }) => end === null || end > now);
}

/** What is left of a subscription's discounts after an invoice: those of coupons for one time are used up. */
export function keptDiscounts(world: World, subscription: Subscription): string[] {
  return discountsInForce(world, subscription)
    .filter((discount) => couponOf(world, discount)?.duration !== 'once')
    .map(({ id }) => id);
}
