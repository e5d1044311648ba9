import { z } from 'zod';

import { redeemCoupon, usableCoupon, type Redeemable } from '../billing/discounts.ts';
import { couponToRedeem, isOfCurrency, type Redeeming } from '../billing/promotion-codes.ts';
import { emit } from '../events/emit.ts';
import { invalid } from '../errors.ts';
import { text } from '../http/params.ts';
import type { Coupon, Subscription } from '../stripe-objects.ts';
import type { World } from '../world.ts';

const source = { coupon: text.optional(), promotion_code: text.optional() };
/** What a new purchase takes. */
export const newDiscountParams = z.array(z.strictObject(source));
/** A subscription may also keep a discount that it has. */
export const discountParams = z.array(z.strictObject({ ...source, discount: text.optional() })).max(20);
export type DiscountParam = z.infer<typeof discountParams>[number];

function plainCoupon(world: World, id: string, by: Redeeming): Coupon {
  const param = `${by.param}[coupon]`;
  const coupon = usableCoupon(world, id, param);
  if (isOfCurrency(coupon, by.currency)) return coupon;
  throw invalid(`The coupon ${id} is in another currency than the purchase.`, param);
}

function redeemableOf(world: World, given: DiscountParam, by: Redeeming): Redeemable {
  const { coupon, promotion_code: codeId } = given;
  if (coupon !== undefined) return { coupon: plainCoupon(world, coupon, by), code: null };
  const param = `${by.param}[promotion_code]`;
  const code = world.tables.promotionCodes.require(codeId ?? '', param);
  return { coupon: couponToRedeem(world, code, { ...by, param }), code };
}

function checkOne(given: DiscountParam, param: string): void {
  const named = Object.values(given).filter((value) => value !== undefined);
  if (named.length === 1) return;
  throw invalid(
    'You must specify exactly one of: coupon, promotion_code, discount.',
    param,
    'parameters_exclusive',
  );
}

/** Checks every coupon and code before anything is made. */
export function redeemablesOf(
  world: World,
  given: readonly DiscountParam[],
  by: Omit<Redeeming, 'param'>,
): Redeemable[] {
  return given.map((one, index) => {
    const param = `discounts[${index}]`;
    checkOne(one, param);
    return redeemableOf(world, one, { ...by, param });
  });
}

type Wanted = Redeemable | { kept: string };

/** The subscription's discounts as wanted: those named by id stay, coupons and codes are redeemed, the others end. */
export function replaceDiscounts(
  world: World,
  before: Subscription,
  given: readonly DiscountParam[],
): string[] {
  const wanted = given.map((one, index): Wanted => {
    const param = `discounts[${index}]`;
    checkOne(one, param);
    if (one.discount === undefined) {
      const { customer, currency } = before;
      return redeemableOf(world, one, { customer, currency, param });
    }
    if (!before.discounts.includes(one.discount))
      throw invalid(`No such discount: '${one.discount}'`, `${param}[discount]`, 'resource_missing');
    return { kept: one.discount };
  });
  const by = { customer: before.customer, subscription: before.id };
  const ids = wanted.map((one) => ('kept' in one ? one.kept : redeemCoupon(world, one, by).id));
  for (const id of before.discounts) {
    const gone = ids.includes(id) ? undefined : world.tables.discounts.get(id);
    if (gone !== undefined) emit(world, 'customer.discount.deleted', gone);
  }
  return ids;
}
