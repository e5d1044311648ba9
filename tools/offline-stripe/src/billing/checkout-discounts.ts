import { invalid } from '../errors.ts';
import type { CheckoutPlan, SessionDiscount } from '../state/private-rows.ts';
import type { CheckoutSession, Customer } from '../stripe-objects.ts';
import type { World } from '../world.ts';
import { checkoutSums, discountCheckoutLines, hasTrial } from './checkout-lines.ts';
import { usableCoupon, type Redeemable } from './discounts.ts';
import { couponToRedeem, findActiveCode } from './promotion-codes.ts';

/** The session's discounts as they are redeemed now; throws where one has run out since. */
export function redeemablesOfPlan(
  world: World,
  { session, plan, customer }: { session: CheckoutSession; plan: CheckoutPlan; customer: Customer | null },
): Redeemable[] {
  return (plan.discounts ?? []).map(({ coupon, promotion_code: codeId }) => {
    if (codeId === null) return { coupon: usableCoupon(world, coupon, 'discounts'), code: null };
    const code = world.tables.promotionCodes.require(codeId, 'discounts');
    const by = {
      customer: customer?.id ?? null,
      amount: session.amount_subtotal ?? 0,
      currency: session.currency ?? 'usd',
      param: 'discounts',
    };
    return { coupon: couponToRedeem(world, code, by), code };
  });
}

/** As a session shows them: a code hides its coupon. */
export const shownDiscounts = (discounts: readonly SessionDiscount[]): CheckoutSession['discounts'] =>
  discounts.map(({ coupon, promotion_code: code }) => ({
    coupon: code === null ? coupon : null,
    promotion_code: code,
  }));

function setDiscounts(world: World, session: CheckoutSession, discounts: SessionDiscount[]): CheckoutSession {
  const plan = world.tables.checkoutPlans.require(session.id);
  const lines = discountCheckoutLines(world, plan.line_items, discounts);
  world.tables.checkoutPlans.update(plan, { discounts, line_items: lines });
  return world.tables.sessions.update(session, {
    ...checkoutSums(lines, hasTrial(plan)),
    discounts: shownDiscounts(discounts),
  });
}

/** The payer types a promotion code on the page. */
export function enterPromotionCode(world: World, session: CheckoutSession, typed: string): CheckoutSession {
  if (session.allow_promotion_codes !== true)
    throw invalid('This session takes no promotion codes.', 'promotion_code');
  const code = findActiveCode(world, typed);
  if (code === undefined) throw invalid('This code is invalid.', 'promotion_code');
  const coupon = couponToRedeem(world, code, {
    customer: session.customer,
    amount: session.amount_subtotal ?? 0,
    currency: session.currency ?? 'usd',
    param: 'promotion_code',
  });
  return setDiscounts(world, session, [{ coupon: coupon.id, promotion_code: code.id }]);
}

/** The payer takes their promotion code back. */
export function removePromotionCode(world: World, session: CheckoutSession): CheckoutSession {
  return session.allow_promotion_codes === true ? setDiscounts(world, session, []) : session;
}
