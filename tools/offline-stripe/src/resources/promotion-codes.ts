import { z } from 'zod';

import { shownCode } from '../billing/promotion-codes.ts';
import { invalid } from '../errors.ts';
import { emit, emitChange } from '../events/emit.ts';
import { defineRoute } from '../http/define-route.ts';
import { page } from '../http/list.ts';
import {
  body,
  currency,
  expandOnly,
  flag,
  listBody,
  mergeMetadata,
  metadata,
  natural,
  positive,
  text,
} from '../http/params.ts';
import { newId } from '../ids.ts';
import type { PromotionCode } from '../stripe-objects.ts';
import type { World } from '../world.ts';

const createParams = body({
  promotion: z.strictObject({ type: z.literal('coupon'), coupon: text }),
  active: flag.optional(),
  code: z
    .string()
    .regex(/^[a-z0-9-]{1,500}$/i, 'Promotion codes may only contain letters, digits and dashes.')
    .optional(),
  customer: text.optional(),
  expires_at: natural.optional(),
  max_redemptions: positive.optional(),
  metadata: metadata.optional(),
  restrictions: z
    .strictObject({
      first_time_transaction: flag.optional(),
      minimum_amount: positive.optional(),
      minimum_amount_currency: currency.optional(),
    })
    .optional(),
});

function restrictionsOf(given: z.infer<typeof createParams>['restrictions']): PromotionCode['restrictions'] {
  const amount = given?.minimum_amount;
  if ((amount === undefined) !== (given?.minimum_amount_currency === undefined)) {
    throw invalid(
      'You must pass both minimum_amount and minimum_amount_currency.',
      'restrictions[minimum_amount_currency]',
      'parameter_missing',
    );
  }
  return {
    first_time_transaction: given?.first_time_transaction ?? false,
    minimum_amount: amount ?? null,
    minimum_amount_currency: given?.minimum_amount_currency ?? null,
  };
}

function requireFree(world: World, code: string): void {
  const isTaken = world.tables.promotionCodes
    .all()
    .some((row) => row.code.toUpperCase() === code.toUpperCase() && shownCode(world, row).active);
  if (isTaken) throw invalid(`An active promotion code with \`code: ${code}\` already exists.`, 'code');
}

function create(world: World, params: z.infer<typeof createParams>): PromotionCode {
  const coupon = world.tables.coupons.require(params.promotion.coupon, 'promotion[coupon]');
  if (params.customer !== undefined) world.tables.customers.require(params.customer, 'customer');
  const now = world.clock.now();
  if (params.expires_at !== undefined && params.expires_at <= now)
    throw invalid('The expiration date must be in the future.', 'expires_at');
  const active = params.active ?? true;
  const code =
    params.code ??
    newId('promo')
      .slice('promo_'.length, 'promo_'.length + 8)
      .toUpperCase();
  if (active) requireFree(world, code);
  const made = world.tables.promotionCodes.insert({
    id: newId('promo'),
    object: 'promotion_code',
    active,
    code,
    created: now,
    customer: params.customer ?? null,
    customer_account: null,
    expires_at: params.expires_at ?? null,
    livemode: false,
    max_redemptions: params.max_redemptions ?? null,
    metadata: mergeMetadata({}, params.metadata),
    promotion: { coupon: coupon.id, type: 'coupon' },
    restrictions: restrictionsOf(params.restrictions),
    times_redeemed: 0,
  });
  emit(world, 'promotion_code.created', made);
  return made;
}

const updateParams = body({ active: flag.optional(), metadata: metadata.optional() });

function update(world: World, before: PromotionCode, params: z.infer<typeof updateParams>): PromotionCode {
  if (params.active === true && !before.active) requireFree(world, before.code);
  const after = world.tables.promotionCodes.update(before, {
    active: params.active,
    metadata: mergeMetadata(before.metadata ?? {}, params.metadata),
  });
  emitChange(world, 'promotion_code.updated', { before, after });
  return shownCode(world, after);
}

const listParams = listBody({
  active: flag.optional(),
  code: text.optional(),
  coupon: text.optional(),
  customer: text.optional(),
});

export const promotionCodeRoutes = [
  defineRoute('POST /v1/promotion_codes', createParams, (world, _id, params) => create(world, params)),
  defineRoute('POST /v1/promotion_codes/:id', updateParams, (world, id, params) =>
    update(world, world.tables.promotionCodes.require(id), params),
  ),
  defineRoute('GET /v1/promotion_codes/:id', expandOnly, (world, id) =>
    shownCode(world, world.tables.promotionCodes.require(id)),
  ),
  defineRoute('GET /v1/promotion_codes', listParams, (world, _id, params) => {
    const rows = world.tables.promotionCodes.newestFirst().map((row) => shownCode(world, row));
    return page(rows, params, {
      url: '/v1/promotion_codes',
      equal: ['active', 'customer'],
      matches: (row) =>
        (params.code === undefined || row.code.toUpperCase() === params.code.toUpperCase()) &&
        (params.coupon === undefined || row.promotion.coupon === params.coupon),
    });
  }),
];
