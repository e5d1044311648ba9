import type { SchedulePhase, Subscription } from '../stripe-objects.ts';
import type { World } from '../world.ts';
import { redeemCoupon } from './discounts.ts';
import { isCouponUsable } from './promotion-codes.ts';

/**
 * The subscription's discounts in a phase: those that the phase names, and no others. Of a discount that is used up, and of a
 * coupon or code that can't be redeemed any more, nothing is left.
 */
export function phaseDiscounts(world: World, subscription: Subscription, phase: SchedulePhase): string[] {
  return phase.discounts.flatMap(({ coupon: couponId, discount, promotion_code: codeId }) => {
    if (discount !== null) return subscription.discounts.filter((id) => id === discount);
    const code = world.tables.promotionCodes.get(codeId ?? '') ?? null;
    const wanted = couponId ?? code?.promotion.coupon ?? '';
    const known = subscription.discounts.find((id) => {
      const row = world.tables.discounts.get(id);
      return row?.source.coupon === wanted && row.promotion_code === (code?.id ?? null);
    });
    if (known !== undefined) return [known];
    const coupon = world.tables.coupons.get(wanted);
    if (!isCouponUsable(world, coupon)) return [];
    const by = { customer: subscription.customer, subscription: subscription.id };
    return [redeemCoupon(world, { coupon, code }, by).id];
  });
}
