import { invalid } from '../errors.ts';
import type { Coupon, PromotionCode } from '../stripe-objects.ts';
import type { World } from '../world.ts';

export function isCouponUsable(world: World, coupon: Coupon | undefined): coupon is Coupon {
  if (coupon === undefined) return false;
  const isLate = coupon.redeem_by !== null && coupon.redeem_by <= world.clock.now();
  const isUsedUp = coupon.max_redemptions !== null && coupon.times_redeemed >= coupon.max_redemptions;
  return !isLate && !isUsedUp;
}

/** The coupon that a code stands for. */
export function couponOfCode(world: World, code: PromotionCode): Coupon | undefined {
  return world.tables.coupons.get(code.promotion.coupon ?? '');
}

/** A code as Stripe shows it: active only while it, and its coupon, can be redeemed. */
export function shownCode(world: World, code: PromotionCode): PromotionCode {
  const isLate = code.expires_at !== null && code.expires_at <= world.clock.now();
  const isUsedUp = code.max_redemptions !== null && code.times_redeemed >= code.max_redemptions;
  const active = code.active && !isLate && !isUsedUp && isCouponUsable(world, couponOfCode(world, code));
  return active === code.active ? code : { ...code, active };
}

/** A sum can only be taken off amounts of its currency. */
export function isOfCurrency(coupon: Coupon, currency: string | undefined): boolean {
  return coupon.currency === null || currency === undefined || coupon.currency === currency;
}

export type Redeeming = {
  /** Who redeems it; null: nobody known yet. */
  customer: string | null;
  /** What they buy costs before the discount; undefined: not known, not checked. */
  amount?: number | undefined;
  currency?: string | undefined;
  param: string;
};

function hasPaid(world: World, customer: string): boolean {
  return world.tables.invoices
    .by(customer)
    .some(({ status, amount_paid: paid }) => status === 'paid' && paid > 0);
}

/** The coupon of a code that may be redeemed by this payer for this purchase, or Stripe's refusal. */
export function couponToRedeem(
  world: World,
  code: PromotionCode,
  { customer, amount, currency, param }: Redeeming,
): Coupon {
  const refuse = (why: string): never => {
    throw invalid(`This promotion code cannot be redeemed because ${why}.`, param);
  };
  const coupon = couponOfCode(world, code);
  if (!shownCode(world, code).active || coupon === undefined) return refuse('it is inactive');
  if (!isOfCurrency(coupon, currency)) return refuse('its coupon is in another currency');
  if (code.customer !== null && code.customer !== customer) return refuse('it belongs to another customer');
  const { first_time_transaction: isForFirst, minimum_amount: least } = code.restrictions;
  if (isForFirst && customer !== null && hasPaid(world, customer))
    return refuse('the associated customer has prior transactions');
  if (least !== null && amount !== undefined) {
    if (currency !== code.restrictions.minimum_amount_currency || amount < least)
      return refuse('the purchase does not reach its minimum amount');
  }
  return coupon;
}

/** What a payer types into a form: the active code of that name, in any case. */
export function findActiveCode(world: World, typed: string): PromotionCode | undefined {
  const wanted = typed.trim().toUpperCase();
  return world.tables.promotionCodes
    .newestFirst()
    .find((row) => row.code.toUpperCase() === wanted && shownCode(world, row).active);
}
