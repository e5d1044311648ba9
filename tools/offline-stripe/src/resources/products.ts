import { z } from 'zod';

import { invalid } from '../errors.ts';
import { emit, emitChange } from '../events/emit.ts';
import { defineRoute, readRoutes } from '../http/define-route.ts';
import {
  body,
  expandOnly,
  flag,
  listBody,
  mergeMetadata,
  metadata,
  text,
  unset,
  url,
} from '../http/params.ts';
import { productObject } from '../objects/catalog.ts';
import type { Product } from '../stripe-objects.ts';
import type { World } from '../world.ts';
import { buildPrice, priceData } from './prices.ts';

const shared = {
  description: z.union([unset, text]).optional(),
  active: flag.optional(),
  metadata: metadata.optional(),
  images: z.array(url).max(8).optional(),
  marketing_features: z
    .array(z.strictObject({ name: z.string().min(1).max(80) }))
    .max(15)
    .optional(),
  shippable: flag.optional(),
  statement_descriptor: text.optional(),
  tax_code: text.optional(),
  unit_label: z.union([unset, text]).optional(),
  url: z.union([unset, url]).optional(),
};
const createParams = body({
  ...shared,
  id: z.string().min(1).max(255).optional(),
  name: z.string().min(1),
  type: z.enum(['good', 'service']).optional(),
  default_price_data: z.strictObject({ ...priceData, metadata: metadata.optional() }).optional(),
});
type CreateProduct = z.infer<typeof createParams>;
const updateParams = body({
  ...shared,
  name: z.string().min(1).optional(),
  default_price: z.union([unset, text]).optional(),
});
type UpdateProduct = z.infer<typeof updateParams>;

/** What create and update show as they were given. */
function shownFields(params: CreateProduct | UpdateProduct): Partial<Product> {
  const { images, marketing_features, shippable, statement_descriptor, tax_code, unit_label } = params;
  const given = {
    images,
    marketing_features,
    shippable,
    statement_descriptor,
    tax_code,
    unit_label,
    url: params.url,
  };
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
}

function createProduct(world: World, params: CreateProduct): Product {
  if (params.id !== undefined && world.tables.products.get(params.id) !== undefined) {
    throw invalid('Product already exists.', 'id', 'resource_already_exists');
  }
  const made = productObject({
    ...(params.id === undefined ? {} : { id: params.id }),
    created: world.clock.now(),
    name: params.name,
    description: params.description ?? null,
    active: params.active ?? true,
    metadata: mergeMetadata({}, params.metadata),
  });
  const data = params.default_price_data;
  const price =
    data === undefined ? null : buildPrice(world, { ...data, product: made.id }, 'default_price_data');
  const product = world.tables.products.insert({
    ...made,
    ...shownFields(params),
    type: params.type ?? made.type,
    default_price: price?.id ?? null,
  });
  emit(world, 'product.created', product);
  if (price !== null) emit(world, 'price.created', world.tables.prices.insert(price));
  return product;
}

function updateProduct(world: World, before: Product, params: UpdateProduct): Product {
  const price = params.default_price;
  if (
    typeof price === 'string' &&
    world.tables.prices.require(price, 'default_price').product !== before.id
  ) {
    throw invalid(`The price ${price} does not belong to the product ${before.id}.`, 'default_price');
  }
  const after = world.tables.products.update(before, {
    ...shownFields(params),
    name: params.name,
    description: params.description,
    active: params.active,
    default_price: price,
    metadata: mergeMetadata(before.metadata, params.metadata),
    updated: world.clock.now(),
  });
  emitChange(world, 'product.updated', { before, after });
  return after;
}

export const productRoutes = [
  defineRoute('POST /v1/products', createParams, (world, _id, params) => createProduct(world, params)),
  defineRoute('POST /v1/products/:id', updateParams, (world, id, params) =>
    updateProduct(world, world.tables.products.require(id), params),
  ),
  defineRoute('DELETE /v1/products/:id', expandOnly, (world, id) => {
    const product = world.tables.products.require(id);
    if (world.tables.prices.all().some((price) => price.product === id)) {
      throw invalid('This product cannot be deleted because it has one or more user-created prices.', 'id');
    }
    world.tables.products.remove(id);
    emit(world, 'product.deleted', product);
    return { id, object: 'product', deleted: true };
  }),
  ...readRoutes('/v1/products', 'products', {
    params: listBody({
      active: flag.optional(),
      ids: z.array(text).optional(),
      shippable: flag.optional(),
      type: text.optional(),
      url: text.optional(),
    }),
    equal: ['active', 'shippable', 'type', 'url'],
    matches: (row, { ids }) => ids?.includes(row.id) ?? true,
  }),
];
