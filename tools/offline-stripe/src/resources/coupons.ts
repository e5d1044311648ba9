import { z } from 'zod';

import { invalid } from '../errors.ts';
import { emit, emitChange } from '../events/emit.ts';
import { defineRoute, readRoutes } from '../http/define-route.ts';
import {
  body,
  currency,
  expandOnly,
  listBody,
  mergeMetadata,
  metadata,
  natural,
  positive,
  text,
} from '../http/params.ts';
import { newId } from '../ids.ts';
import type { Coupon } from '../stripe-objects.ts';
import type { World } from '../world.ts';

const createParams = body({
  id: z.string().min(1).max(200).optional(),
  name: z.string().max(40).optional(),
  percent_off: z
    .string()
    .regex(/^\d{1,3}(\.\d{1,4})?$/, 'it is no percentage')
    .transform(Number)
    .refine((share) => share > 0 && share <= 100, 'it must be more than 0 and at most 100')
    .optional(),
  amount_off: positive.optional(),
  currency: currency.optional(),
  duration: z.enum(['forever', 'once', 'repeating']).optional(),
  duration_in_months: positive.optional(),
  max_redemptions: positive.optional(),
  redeem_by: natural.optional(),
  metadata: metadata.optional(),
});

function create(world: World, params: z.infer<typeof createParams>): Coupon {
  const { percent_off: share, amount_off: amount, duration = 'once' } = params;
  if ((share === undefined) === (amount === undefined))
    throw invalid('You must pass either percent_off or amount_off.', 'percent_off');
  if (amount !== undefined && params.currency === undefined)
    throw invalid('You must pass currency when passing amount_off.', 'currency', 'parameter_missing');
  if ((duration === 'repeating') !== (params.duration_in_months !== undefined))
    throw invalid('duration_in_months belongs to the duration repeating.', 'duration_in_months');
  if (params.id !== undefined && world.tables.coupons.get(params.id) !== undefined)
    throw invalid('Coupon already exists.', 'id', 'resource_already_exists');
  const coupon = world.tables.coupons.insert({
    id: params.id ?? newId('coupon').slice('coupon_'.length, 'coupon_'.length + 8),
    object: 'coupon',
    amount_off: amount ?? null,
    created: world.clock.now(),
    currency: amount === undefined ? null : (params.currency ?? null),
    duration,
    duration_in_months: params.duration_in_months ?? null,
    livemode: false,
    max_redemptions: params.max_redemptions ?? null,
    metadata: mergeMetadata({}, params.metadata),
    name: params.name ?? null,
    percent_off: share ?? null,
    redeem_by: params.redeem_by ?? null,
    times_redeemed: 0,
    valid: true,
  });
  emit(world, 'coupon.created', coupon);
  return coupon;
}

export const couponRoutes = [
  defineRoute('POST /v1/coupons', createParams, (world, _id, params) => create(world, params)),
  defineRoute(
    'POST /v1/coupons/:id',
    body({ name: text.optional(), metadata: metadata.optional() }),
    (world, id, params) => {
      const before = world.tables.coupons.require(id);
      const after = world.tables.coupons.update(before, {
        name: params.name,
        metadata: mergeMetadata(before.metadata ?? {}, params.metadata),
      });
      emitChange(world, 'coupon.updated', { before, after });
      return after;
    },
  ),
  defineRoute('DELETE /v1/coupons/:id', expandOnly, (world, id) => {
    const coupon = world.tables.coupons.require(id);
    // Discounts that exist keep its terms.
    world.tables.coupons.remove(id);
    emit(world, 'coupon.deleted', coupon);
    return { id, object: 'coupon', deleted: true };
  }),
  ...readRoutes('/v1/coupons', 'coupons', { params: listBody({}) }),
];
