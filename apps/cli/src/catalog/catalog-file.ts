import { featureOut, priceOut, productOut } from '@billing/domain';
import type { FeatureOut, PriceOut, ProductOut } from '@billing/domain';
import { z } from 'zod';

const ofProject = { project_id: true, created_at: true, updated_at: true } as const;

/** A project's catalog as a file, in the words of the API: what one project has and another may get. */
export const catalogFile = z.strictObject({
  catalog: z.literal(1),
  features: z.array(z.strictObject(featureOut.omit(ofProject).shape)),
  products: z.array(z.strictObject(productOut.omit(ofProject).shape)),
  prices: z.array(z.strictObject(priceOut.omit({ ...ofProject, verified_at: true }).shape)),
});
export type CatalogFile = z.output<typeof catalogFile>;

type Listed = {
  features: readonly FeatureOut[];
  products: readonly ProductOut[];
  prices: readonly PriceOut[];
};

const byKey =
  <T>(keyOf: (one: T) => string) =>
  (a: T, b: T): number =>
    keyOf(a) < keyOf(b) ? -1 : 1;

/** Sorted, so that two exports of the same catalog are the same file. */
export const toCatalogFile = ({ features, products, prices }: Listed): CatalogFile => ({
  catalog: 1,
  features: features
    .map(({ project_id: _project, created_at: _created, updated_at: _updated, ...feature }) => feature)
    .toSorted(byKey((one) => one.feature_code)),
  products: products
    .map(({ project_id: _project, created_at: _created, updated_at: _updated, ...product }) => product)
    .toSorted(byKey((one) => one.product_id)),
  prices: prices
    .map(
      ({
        project_id: _project,
        created_at: _created,
        updated_at: _updated,
        verified_at: _verified,
        ...price
      }) => price,
    )
    .toSorted(byKey((one) => one.price_id)),
});
