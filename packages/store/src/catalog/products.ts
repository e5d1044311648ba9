import { ServiceError } from '@billing/domain';
import type { CreateProductRequest, PatchProductRequest } from '@billing/domain';
import { writeAudit } from '../audit.ts';
import type { Actor } from '../audit.ts';
import { changeProject } from '../change-user.ts';
import type { Changed } from '../change-user.ts';
import type { Database, Queries } from '../create-database.ts';
import type { Product } from '../generated/client.ts';
import { given } from '../given.ts';
import { afterId, toPage } from '../page.ts';
import type { Page, PageRequest } from '../page.ts';

export type { Product } from '../generated/client.ts';

export type ProductKey = { projectId: string; productId: string };

/** Throws `project_not_found`, `product_exists`. A new product changes no entitlement: no new version. */
export async function createProduct(
  database: Database,
  { projectId, request, actor }: { projectId: string; request: CreateProductRequest; actor: Actor },
): Promise<Changed<Product>> {
  const { product_id: productId, name, description = null, feature_codes: featureCodes } = request;
  return changeProject(database, projectId, async (tx) => {
    const row = { projectId, productId, name, description, featureCodes };
    const { count } = await tx.product.createMany({ data: [row], skipDuplicates: true });
    if (count === 0) throw new ServiceError('product_exists', 'Choose another product_id.');
    await writeAudit(tx, {
      actor,
      action: 'product.create',
      projectId,
      target: { type: 'product', id: productId },
      change: { before: null, after: { name, description, feature_codes: featureCodes } },
    });
    return { result: await getProduct(tx, { projectId, productId }), changed: null };
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

/** Throws `project_not_found`, `product_not_found`. New feature codes make every cached answer of the project old. */
export async function patchProduct(
  database: Database,
  { key, patch, actor }: { key: ProductKey; patch: PatchProductRequest; actor: Actor },
): Promise<Changed<Product>> {
  return changeProject(database, key.projectId, async (tx) => {
    const before = await getProduct(tx, key);
    const result = await tx.product.update({
      where: { projectId_productId: key },
      data: {
        name: given(patch.name),
        description: given(patch.description),
        featureCodes: given(patch.feature_codes),
        isArchived: given(patch.is_archived),
      },
    });
    await writeAudit(tx, {
      actor,
      action: 'product.update',
      projectId: key.projectId,
      target: { type: 'product', id: key.productId },
      change: { before: summary(before), after: summary(result) },
    });
    const { productId } = key;
    return { result, changed: patch.feature_codes === undefined ? null : { productId } };
  });
}

const summary = (product: Product) => ({
  name: product.name,
  description: product.description,
  feature_codes: product.featureCodes,
  is_archived: product.isArchived,
});
