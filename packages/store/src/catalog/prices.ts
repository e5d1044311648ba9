import { ServiceError } from '@billing/domain';
import type { CreatePriceRequest, PatchPriceRequest } from '@billing/domain';
import { writeAudit } from '../audit.ts';
import type { Actor } from '../audit.ts';
import { changeProject } from '../change-user.ts';
import type { Changed } from '../change-user.ts';
import type { Database, Queries } from '../create-database.ts';
import { releaseAgain, releaseForPrice } from '../customers/release-quarantine.ts';
import type { Price } from '../generated/client.ts';
import { afterId, toPage } from '../page.ts';
import type { Page, PageRequest } from '../page.ts';
import { getProduct } from './products.ts';

export type { Price } from '../generated/client.ts';

export type PriceKey = { projectId: string; priceId: string };

/**
 * Maps a Stripe price to a product and releases what waited for it. Throws `project_not_found`,
 * `product_not_found`, `price_exists`: also where the Stripe price is another project's, and where our id
 * of one price would be Stripe's id of another, as callers name prices by either.
 */
export async function createPrice(
  database: Database,
  { projectId, request, actor }: { projectId: string; request: CreatePriceRequest; actor: Actor },
): Promise<Changed<Price>> {
  const { product_id: productId, stripe_price_id: stripePriceId } = request;
  const priceId = request.price_id ?? stripePriceId;
  const changed = await changeProject(database, projectId, async (tx) => {
    await getProduct(tx, { projectId, productId });
    await refuseAmbiguous(tx, { projectId, priceId, stripePriceId });
    const { amount, currency, interval, access_days: accessDays = null } = request;
    const row = { projectId, priceId, productId, stripePriceId, amount, currency, interval, accessDays };
    const { count } = await tx.price.createMany({ data: [row], skipDuplicates: true });
    if (count === 0) throw priceExists();
    const details = {
      product_id: productId,
      stripe_price_id: stripePriceId,
      amount,
      currency,
      interval,
      access_days: accessDays,
    };
    await writeAudit(tx, {
      actor,
      action: 'price.create',
      projectId,
      target: { type: 'price', id: priceId },
      details,
    });
    const pending = await releaseForPrice(tx, { projectId, priceId, stripePriceId });
    return { result: { price: await getPrice(tx, { projectId, priceId }), pending }, changed: true };
  });
  const late = await releaseAgain(database, (tx) =>
    releaseForPrice(tx, { projectId, priceId, stripePriceId }),
  );
  return { result: changed.result.price, pending: [...changed.result.pending, ...changed.pending, ...late] };
}

const priceExists = (): ServiceError =>
  new ServiceError('price_exists', 'Use a price_id and a stripe_price_id that are not in use.');

async function refuseAmbiguous(
  tx: Queries,
  { projectId, priceId, stripePriceId }: PriceKey & { stripePriceId: string },
): Promise<void> {
  const clash = await tx.price.findFirst({
    where: { projectId, OR: [{ stripePriceId: priceId }, { priceId: stripePriceId }] },
  });
  if (clash !== null) throw priceExists();
}

/** Throws `price_not_found`. */
export async function getPrice(database: Queries, key: PriceKey): Promise<Price> {
  const price = await database.price.findUnique({ where: { projectId_priceId: key } });
  if (price === null) throw new ServiceError('price_not_found', 'Use the id of a price of this project.');
  return price;
}

export async function listPrices(
  database: Database,
  { projectId, limit, cursor }: PageRequest & { projectId: string },
): Promise<Page<Price>> {
  const rows = await database.price.findMany({
    where: { projectId, priceId: afterId(cursor) },
    orderBy: { priceId: 'asc' },
    take: limit + 1,
  });
  return toPage(rows, limit, (row) => [row.priceId]);
}

/** Throws `project_not_found`, `price_not_found`. Archiving ends sales and changes no entitlement: no new version. */
export async function patchPrice(
  database: Database,
  { key, patch, actor }: { key: PriceKey; patch: PatchPriceRequest; actor: Actor },
): Promise<Changed<Price>> {
  return changeProject(database, key.projectId, async (tx) => {
    const before = await getPrice(tx, key);
    const isArchived = patch.is_archived ?? before.isArchived;
    const result = await tx.price.update({ where: { projectId_priceId: key }, data: { isArchived } });
    await writeAudit(tx, {
      actor,
      action: 'price.update',
      projectId: key.projectId,
      target: { type: 'price', id: key.priceId },
      details: { before: { is_archived: before.isArchived }, after: { is_archived: isArchived } },
    });
    return { result, changed: false };
  });
}
