import { z } from 'zod';

import { invalid } from '../errors.ts';
import { emit, emitChange } from '../events/emit.ts';
import { defineRoute, readRoutes } from '../http/define-route.ts';
import {
  body,
  flag,
  listBody,
  mergeMetadata,
  metadata,
  natural,
  positive,
  text,
  unset,
} from '../http/params.ts';
import { priceObject, productObject } from '../objects/catalog.ts';
import type { Price } from '../stripe-objects.ts';
import type { World } from '../world.ts';

const ignored = `
  billing_scheme currency_options tax_behavior tiers tiers_mode transfer_lookup_key transform_quantity`;

const recurring = z.looseObject({
  interval: z.enum(['day', 'week', 'month', 'year']),
  interval_count: positive.optional(),
  trial_period_days: natural.optional(),
});

export const priceFields = {
  currency: z
    .string()
    .length(3)
    .transform((code) => code.toLowerCase()),
  unit_amount: natural.optional(),
  unit_amount_decimal: z
    .string()
    .regex(/^\d+(\.\d+)?$/)
    .optional(),
  recurring: recurring.optional(),
  product: text.optional(),
  product_data: z.looseObject({ name: z.string().min(1), metadata: metadata.optional() }).optional(),
};

const create = body(
  {
    ...priceFields,
    id: z.string().min(1).max(255).optional(),
    nickname: text.optional(),
    lookup_key: text.optional(),
    active: flag.optional(),
    metadata: metadata.optional(),
  },
  ignored,
);

type CreatePrice = z.infer<typeof create>;

/** Throws Stripe's error for an archived price; `param` names the parameter. */
export function requireActive(price: Price, param: string): void {
  if (price.active) return;
  throw invalid(
    'The price specified is inactive. This field only accepts active prices.',
    param,
    'price_inactive',
  );
}

function productFor(world: World, params: CreatePrice): string {
  if (params.product !== undefined) return world.tables.products.require(params.product, 'product').id;
  if (params.product_data === undefined) {
    throw invalid(
      'You must specify either `product` or `product_data` when creating a price.',
      'product',
      'parameter_missing',
    );
  }
  const product = world.tables.products.insert(
    productObject({
      created: world.clock.now(),
      name: params.product_data.name,
      metadata: mergeMetadata({}, params.product_data.metadata),
    }),
  );
  emit(world, 'product.created', product);
  return product.id;
}

export function createPrice(world: World, params: CreatePrice): Price {
  const unitAmount =
    params.unit_amount ??
    (params.unit_amount_decimal === undefined ? undefined : Math.round(Number(params.unit_amount_decimal)));
  if (unitAmount === undefined) {
    throw invalid(
      'You must specify either `unit_amount` or `unit_amount_decimal`.',
      'unit_amount',
      'parameter_missing',
    );
  }
  if (params.id !== undefined && world.tables.prices.get(params.id) !== undefined) {
    throw invalid('Price already exists.', 'id', 'resource_already_exists');
  }
  const price = world.tables.prices.insert(
    priceObject({
      ...(params.id === undefined ? {} : { id: params.id }),
      created: world.clock.now(),
      product: productFor(world, params),
      currency: params.currency,
      unitAmount,
      recurring:
        params.recurring === undefined
          ? null
          : {
              interval: params.recurring.interval,
              intervalCount: params.recurring.interval_count ?? 1,
              trialDays: params.recurring.trial_period_days ?? null,
            },
      nickname: params.nickname ?? null,
      lookupKey: params.lookup_key ?? null,
      active: params.active ?? true,
      metadata: mergeMetadata({}, params.metadata),
    }),
  );
  emit(world, 'price.created', price);
  return price;
}

export const priceRoutes = [
  defineRoute('POST /v1/prices', create, (world, _id, params) => createPrice(world, params)),
  defineRoute(
    'POST /v1/prices/:id',
    body(
      {
        active: flag.optional(),
        nickname: z.union([unset, text]).optional(),
        lookup_key: text.optional(),
        metadata: metadata.optional(),
      },
      ignored,
    ),
    (world, id, params) => {
      const before = world.tables.prices.require(id);
      const after = world.tables.prices.update(before, {
        active: params.active,
        nickname: params.nickname,
        lookup_key: params.lookup_key,
        metadata: mergeMetadata(before.metadata, params.metadata),
      });
      emitChange(world, 'price.updated', { before, after });
      return after;
    },
  ),
  ...readRoutes('/v1/prices', 'prices', {
    params: listBody({
      active: flag.optional(),
      product: text.optional(),
      currency: text.optional(),
      type: z.enum(['one_time', 'recurring']).optional(),
      lookup_keys: z.array(text).optional(),
      recurring: z.looseObject({ interval: text.optional() }).optional(),
    }),
    equal: ['active', 'product', 'currency', 'type'],
    matches: (row, params) =>
      (params.recurring?.interval === undefined || row.recurring?.interval === params.recurring.interval) &&
      (params.lookup_keys?.includes(row.lookup_key ?? '') ?? true),
  }),
];
