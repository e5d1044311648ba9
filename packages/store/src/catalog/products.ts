import {
  changeProductFeatures,
  parseSettings,
  requireFittingFeatures,
  ServiceError,
  toProductFeaturesOut,
} from '@billing/domain';
import type {
  CreateProductRequest,
  PatchProductRequest,
  ProductFeatureOut,
  ProductGives,
  SentFeatures,
  SettingsByCode,
} from '@billing/domain';
import { writeAudit } from '../audit.ts';
import type { Actor } from '../audit.ts';
import { changeProject, isSame } from '../change-user.ts';
import type { Changed } from '../change-user.ts';
import type { Database, Queries } from '../create-database.ts';
import type { Product } from '../generated/client.ts';
import { given } from '../given.ts';
import { afterId, toPage } from '../page.ts';
import { readFeatures } from './features.ts';
import type { Page, PageRequest } from '../page.ts';

export type { Product } from '../generated/client.ts';

export type ProductKey = { projectId: string; productId: string };

/** What a product gives, as it is stored. */
export const givesOf = ({ featureCodes, features }: Product): ProductGives => ({
  featureCodes,
  settings: parseSettings(features),
});

/** Its features with settings, in the order of its codes. */
export const productFeaturesOf = (product: Product): ProductFeatureOut[] => {
  const { featureCodes, settings } = givesOf(product);
  return toProductFeaturesOut(featureCodes, settings);
};

/** What the product gives once the request is done, if that fits what the codes stand for. */
async function fittingGives(
  tx: Queries,
  { projectId, before, sent }: { projectId: string; before: ProductGives; sent: SentFeatures },
): Promise<ProductGives> {
  const gives = changeProductFeatures(before, sent);
  requireFittingFeatures(gives, await readFeatures(tx, projectId, gives.featureCodes), sent);
  return gives;
}

const toColumns = ({ featureCodes, settings }: ProductGives) => ({
  featureCodes: [...featureCodes],
  features: { ...settings },
});

/**
 * Throws `project_not_found`, `product_exists`, `feature_needs_settings`, and `invalid_request` for settings that do not fit. A
 * new product changes the catalog, and no entitlement.
 */
export async function createProduct(
  database: Database,
  { projectId, request, actor }: { projectId: string; request: CreateProductRequest; actor: Actor },
): Promise<Changed<Product>> {
  const { product_id: productId, name, description = null } = request;
  const before = { featureCodes: [], settings: {} };
  return changeProject(database, projectId, async (tx) => {
    const gives = await fittingGives(tx, { projectId, before, sent: request });
    const row = { projectId, productId, name, description, ...toColumns(gives) };
    const { count } = await tx.product.createMany({ data: [row], skipDuplicates: true });
    if (count === 0) throw new ServiceError('product_exists', 'Choose another product_id.');
    const result = await getProduct(tx, { projectId, productId });
    const { is_archived: _new, ...after } = summary(result);
    await writeAudit(tx, {
      actor,
      action: 'product.create',
      projectId,
      target: { type: 'product', id: productId },
      change: { before: null, after },
    });
    return { result, changed: 'nobody' };
  });
}

/** Throws `product_not_found`. */
export async function getProduct(database: Queries, key: ProductKey): Promise<Product> {
  const product = await database.product.findUnique({ where: { projectId_productId: key } });
  if (product === null)
    throw new ServiceError('product_not_found', 'Use the id of a product of this project.');
  return product;
}

export async function listProducts(
  database: Database,
  { projectId, limit, cursor }: PageRequest & { projectId: string },
): Promise<Page<Product>> {
  const rows = await database.product.findMany({
    where: { projectId, productId: afterId(cursor) },
    orderBy: { productId: 'asc' },
    take: limit + 1,
  });
  return toPage(rows, limit, (row) => [row.productId]);
}

/**
 * Throws `project_not_found`, `product_not_found`, `feature_needs_settings`, and `invalid_request` for settings that do not fit.
 * Whatever it changes makes every cached answer of the project old; where it changes nothing all stays as it is.
 */
export async function patchProduct(
  database: Database,
  { key, patch, actor }: { key: ProductKey; patch: PatchProductRequest; actor: Actor },
): Promise<Changed<Product>> {
  return changeProject(database, key.projectId, async (tx) => {
    const before = await getProduct(tx, key);
    const isOther = patch.feature_codes !== undefined || patch.features !== undefined;
    const { projectId, productId } = key;
    const gives = isOther
      ? await fittingGives(tx, { projectId, before: givesOf(before), sent: patch })
      : null;
    const result = await tx.product.update({
      where: { projectId_productId: key },
      data: {
        name: given(patch.name),
        description: given(patch.description),
        isArchived: given(patch.is_archived),
        ...(gives === null ? {} : toColumns(gives)),
      },
    });
    await writeAudit(tx, {
      actor,
      action: 'product.update',
      projectId: key.projectId,
      target: { type: 'product', id: key.productId },
      change: { before: summary(before), after: summary(result) },
    });
    const whose = (concerned: boolean) => (concerned ? { productId } : 'nobody');
    return {
      result,
      changed: isSame(summary(before), summary(result)) ? null : whose(hasOtherFeatures(before, result)),
    };
  });
}

const hasOtherFeatures = (before: Product, after: Product): boolean =>
  !isSame([before.featureCodes, before.features], [after.featureCodes, after.features]);

/** For the audit log: settings only where there are some. */
function settingsOf(product: Product): { features?: SettingsByCode } {
  const { settings } = givesOf(product);
  return Object.keys(settings).length === 0 ? {} : { features: settings };
}

const summary = (product: Product) => ({
  name: product.name,
  description: product.description,
  feature_codes: product.featureCodes,
  ...settingsOf(product),
  is_archived: product.isArchived,
});
