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
import type { Prisma, Product } from '../generated/client.ts';
import { given } from '../given.ts';
import { afterId, toPage } from '../page.ts';
import type { Page, PageRequest } from '../page.ts';
import type { Holders } from './count-holders.ts';
import { readFeatures } from './features.ts';
import {
  holdersOfPlan,
  mapped,
  planAfter,
  planSummary,
  refuseTakenPlan,
  releaseForPlan,
  throwTakenPlan,
  withReleased,
} from './plans.ts';

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
 * Throws `project_not_found`, `product_exists`, `default_exists`, `stripe_product_mapped`, `feature_needs_settings`, and
 * `invalid_request` for settings that do not fit. A new product changes the catalog, and no entitlement, unless everybody has it or
 * its Stripe product is sold already.
 */
export async function createProduct(
  database: Database,
  { projectId, request, actor }: { projectId: string; request: CreateProductRequest; actor: Actor },
): Promise<Changed<Product>> {
  const { product_id: productId, name, description = null } = request;
  const key = { projectId, productId };
  const before = { featureCodes: [], settings: {} };
  const changed = await changeProject(database, projectId, async (tx) => {
    const gives = await fittingGives(tx, { projectId, before, sent: request });
    const plan = planAfter(request);
    await refuseTakenPlan(tx, key, plan);
    await insertProduct(tx, { ...key, name, description, ...plan, ...toColumns(gives) });
    const product = await getProduct(tx, key);
    const pending = await releaseForPlan(tx, null, product);
    const { is_archived: _new, ...after } = summary(product);
    await writeAudit(tx, {
      actor,
      action: 'product.create',
      projectId,
      target: { type: 'product', id: productId },
      change: { before: null, after },
    });
    return { result: { product, pending }, changed: holdersOfPlan(null, product) ?? 'nobody' };
  });
  return withReleased(database, changed);
}

/** Throws `product_exists`, `stripe_product_mapped`. */
async function insertProduct(tx: Queries, row: Prisma.ProductCreateManyInput): Promise<void> {
  const { projectId, productId } = row;
  const key = { projectId_productId: { projectId, productId } };
  if ((await tx.product.findUnique({ where: key })) !== null)
    throw new ServiceError('product_exists', 'Choose another product_id.');
  const { count } = await tx.product.createMany({ data: [row], skipDuplicates: true });
  // Another project took the Stripe product just now.
  if (count === 0) throw mapped();
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
 * Throws `project_not_found`, `product_not_found`, `default_exists`, `stripe_product_mapped`, `feature_needs_settings`, and
 * `invalid_request` for settings that do not fit. Whatever it changes makes every cached answer of the project old; where it changes
 * nothing all stays as it is.
 */
export async function patchProduct(
  database: Database,
  { key, patch, actor }: { key: ProductKey; patch: PatchProductRequest; actor: Actor },
): Promise<Changed<Product>> {
  const changed = await changeProject(database, key.projectId, async (tx) => {
    const before = await getProduct(tx, key);
    const hasFeatures = patch.feature_codes !== undefined || patch.features !== undefined;
    const { projectId, productId } = key;
    const gives = hasFeatures
      ? await fittingGives(tx, { projectId, before: givesOf(before), sent: patch })
      : null;
    const plan = planAfter(patch, before);
    await refuseTakenPlan(tx, key, plan);
    const product = await tx.product.update({
      where: { projectId_productId: key },
      data: {
        name: given(patch.name),
        description: given(patch.description),
        isArchived: given(patch.is_archived),
        ...plan,
        ...(gives === null ? {} : toColumns(gives)),
      },
    });
    const pending = await releaseForPlan(tx, before, product);
    await writeAudit(tx, {
      actor,
      action: 'product.update',
      projectId,
      target: { type: 'product', id: productId },
      change: { before: summary(before), after: summary(product) },
    });
    return { result: { product, pending }, changed: holdersOfChange(before, product) };
  }).catch(throwTakenPlan);
  return withReleased(database, changed);
}

/** Whose answers a change concerns; null: it changed nothing. */
function holdersOfChange(before: Product, after: Product): Omit<Holders, 'projectId'> | 'nobody' | null {
  if (isSame(summary(before), summary(after))) return null;
  const ofPlan = holdersOfPlan(before, after);
  if (ofPlan !== null) return ofPlan;
  if (isSame([before.featureCodes, before.features], [after.featureCodes, after.features])) return 'nobody';
  return after.isDefault ? { isEverybody: true } : { productId: after.productId };
}

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
  ...planSummary(product),
  is_archived: product.isArchived,
});
