import { z } from 'zod';

import { invalid } from '../errors.ts';
import { emit, emitChange } from '../events/emit.ts';
import { defineRoute, readRoutes } from '../http/define-route.ts';
import {
  body,
  currency,
  flag,
  listBody,
  mergeMetadata,
  metadata,
  natural,
  text,
  unset,
} from '../http/params.ts';
import { priceObject, productObject } from '../objects/catalog.ts';
import type { Price } from '../stripe-objects.ts';
import type { World } from '../world.ts';
import { recurringOf, recurringParams } from './recurring.ts';
import { decimalAmount, tierParams, tiersOf } from './tiers.ts';

const taxBehavior = z.enum(['exclusive', 'inclusive', 'unspecified']);

/** What every call takes that makes a price on its way, such as `line_items[0][price_data]`. */
export const priceData = {
  currency,
  unit_amount: natural.optional(),
  unit_amount_decimal: decimalAmount.optional(),
  recurring: recurringParams.optional(),
  tax_behavior: taxBehavior.optional(),
};
/** The same where the call also names the product. */
export const priceAndProductData = {
  ...priceData,
  product: text.optional(),
  product_data: z
    .strictObject({
      name: z.string().min(1),
      description: text.optional(),
      metadata: metadata.optional(),
      unit_label: text.optional(),
    })
    .optional(),
};

const lookup = { lookup_key: text.optional(), transfer_lookup_key: flag.optional() };
const createParams = body({
  ...priceAndProductData,
  ...lookup,
  id: z.string().min(1).max(255).optional(),
  ...tierParams,
  nickname: text.optional(),
  active: flag.optional(),
  metadata: metadata.optional(),
});
type CreatePrice = z.infer<typeof createParams>;

/** Throws Stripe's error for an archived price; `param` names the parameter. A tiered price is only looked at here. */
export function requireActive(price: Price, param: string): void {
  if (price.billing_scheme === 'tiered') throw invalid('The offline Stripe sells no tiered prices.', param);
  if (price.active) return;
  throw invalid(
    'The price specified is inactive. This field only accepts active prices.',
    param,
    'price_inactive',
  );
}

function productFor(world: World, params: CreatePrice): string {
  if (params.product !== undefined) return world.tables.products.require(params.product, 'product').id;
  const data = params.product_data;
  if (data === undefined) {
    throw invalid(
      'You must specify either `product` or `product_data` when creating a price.',
      'product',
      'parameter_missing',
    );
  }
  const made = productObject({
    created: world.clock.now(),
    name: data.name,
    description: data.description ?? null,
    metadata: mergeMetadata({}, data.metadata),
  });
  const product = world.tables.products.insert({ ...made, unit_label: data.unit_label ?? null });
  emit(world, 'product.created', product);
  return product.id;
}

/** A price that is not stored yet; `prefix` names the parameter that it was given as, if nested. */
export function buildPrice(world: World, params: CreatePrice & { product: string }, prefix = ''): Price {
  const named = (field: string): string => (prefix === '' ? field : `${prefix}[${field}]`);
  const { unit_amount: whole, unit_amount_decimal: decimal } = params;
  if (whole !== undefined && decimal !== undefined) {
    throw invalid(
      'You may only specify one of these parameters: unit_amount, unit_amount_decimal.',
      named('unit_amount_decimal'),
    );
  }
  const unitAmount = decimal ?? (whole === undefined ? undefined : String(whole));
  const isTiered = tiersOf(params) !== null;
  if (unitAmount === undefined && !isTiered) {
    const message = 'You must specify either `unit_amount` or `unit_amount_decimal`.';
    throw invalid(message, named('unit_amount'), 'parameter_missing');
  }
  if (params.id !== undefined && world.tables.prices.get(params.id) !== undefined) {
    throw invalid('Price already exists.', 'id', 'resource_already_exists');
  }
  return priceObject({
    ...(params.id === undefined ? {} : { id: params.id }),
    created: world.clock.now(),
    product: params.product,
    currency: params.currency,
    unitAmount: unitAmount ?? null,
    tiersMode: params.tiers_mode ?? null,
    taxBehavior: params.tax_behavior ?? 'unspecified',
    recurring: recurringOf(world, params.recurring, named('recurring[meter]')),
    nickname: params.nickname ?? null,
    lookupKey: params.lookup_key ?? null,
    active: params.active ?? true,
    metadata: mergeMetadata({}, params.metadata),
  });
}

/** A lookup key names one price: another one's is refused, or taken over where `transfer_lookup_key` says so. */
function claimLookupKey(world: World, params: z.infer<z.ZodObject<typeof lookup>>, own: string | null): void {
  const { lookup_key: key, transfer_lookup_key: transfers } = params;
  if (key === undefined) return;
  const holder = world.tables.prices.all().find((price) => price.lookup_key === key && price.id !== own);
  if (holder === undefined) return;
  if (transfers !== true) {
    throw invalid(`A price (\`${holder.id}\`) already uses that lookup key.`, 'lookup_key');
  }
  const after = world.tables.prices.update(holder, { lookup_key: null });
  emitChange(world, 'price.updated', { before: holder, after });
}

export function createPrice(world: World, params: CreatePrice): Price {
  const draft = buildPrice(world, { ...params, product: '' });
  claimLookupKey(world, params, null);
  const price = world.tables.prices.insert({ ...draft, product: productFor(world, params) });
  const tiers = tiersOf(params);
  if (tiers !== null) world.tables.priceTiers.insert({ id: price.id, tiers });
  emit(world, 'price.created', price);
  return price;
}

const updateParams = body({
  ...lookup,
  active: flag.optional(),
  nickname: z.union([unset, text]).optional(),
  tax_behavior: taxBehavior.optional(),
  metadata: metadata.optional(),
});

function updatePrice(world: World, before: Price, params: z.infer<typeof updateParams>): Price {
  claimLookupKey(world, params, before.id);
  const after = world.tables.prices.update(before, {
    active: params.active,
    nickname: params.nickname,
    lookup_key: params.lookup_key,
    tax_behavior: params.tax_behavior,
    metadata: mergeMetadata(before.metadata, params.metadata),
  });
  emitChange(world, 'price.updated', { before, after });
  return after;
}

export const priceRoutes = [
  defineRoute('POST /v1/prices', createParams, (world, _id, params) => createPrice(world, params)),
  defineRoute('POST /v1/prices/:id', updateParams, (world, id, params) =>
    updatePrice(world, world.tables.prices.require(id), params),
  ),
  ...readRoutes('/v1/prices', 'prices', {
    params: listBody({
      active: flag.optional(),
      product: text.optional(),
      currency: currency.optional(),
      type: z.enum(['one_time', 'recurring']).optional(),
      lookup_keys: z.array(text).optional(),
      recurring: z
        .strictObject({ interval: text.optional(), usage_type: text.optional(), meter: text.optional() })
        .optional(),
    }),
    equal: ['active', 'product', 'currency', 'type'],
    matches: (row, { recurring, lookup_keys: keys }) =>
      (recurring?.interval === undefined || row.recurring?.interval === recurring.interval) &&
      (recurring?.usage_type === undefined || row.recurring?.usage_type === recurring.usage_type) &&
      (recurring?.meter === undefined || row.recurring?.meter === recurring.meter) &&
      (keys?.includes(row.lookup_key ?? '') ?? true),
  }),
];
