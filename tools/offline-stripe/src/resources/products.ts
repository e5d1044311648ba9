import { z } from 'zod';

import { invalid } from '../errors.ts';
import { emit, emitChange } from '../events/emit.ts';
import { defineRoute, readRoutes } from '../http/define-route.ts';
import { body, expandOnly, flag, listBody, mergeMetadata, metadata, text, unset } from '../http/params.ts';
import { productObject } from '../objects/catalog.ts';

const ignored = `
  images marketing_features package_dimensions shippable statement_descriptor tax_code type unit_label url
  default_price_data`;
const shared = {
  description: z.union([unset, text]).optional(),
  active: flag.optional(),
  metadata: metadata.optional(),
};

export const productRoutes = [
  defineRoute(
    'POST /v1/products',
    body({ ...shared, id: z.string().min(1).max(255).optional(), name: z.string().min(1) }, ignored),
    (world, _id, params) => {
      if (params.id !== undefined && world.tables.products.get(params.id) !== undefined) {
        throw invalid('Product already exists.', 'id', 'resource_already_exists');
      }
      const product = world.tables.products.insert(
        productObject({
          ...(params.id === undefined ? {} : { id: params.id }),
          created: world.clock.now(),
          name: params.name,
          description: params.description ?? null,
          active: params.active ?? true,
          metadata: mergeMetadata({}, params.metadata),
        }),
      );
      emit(world, 'product.created', product);
      return product;
    },
  ),
  defineRoute(
    'POST /v1/products/:id',
    body({ ...shared, name: z.string().min(1).optional(), default_price: text.optional() }, ignored),
    (world, id, params) => {
      const before = world.tables.products.require(id);
      const after = world.tables.products.update(before, {
        name: params.name,
        description: params.description,
        active: params.active,
        default_price: params.default_price,
        metadata: mergeMetadata(before.metadata, params.metadata),
        updated: world.clock.now(),
      });
      emitChange(world, 'product.updated', { before, after });
      return after;
    },
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
    params: listBody({ active: flag.optional(), ids: z.array(text).optional() }),
    equal: ['active'],
    matches: (row, { ids }) => ids?.includes(row.id) ?? true,
  }),
];
