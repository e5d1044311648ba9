import { priceIntervals, ServiceError, usageTypes } from '@billing/domain';
import type { Instant, PriceTerms } from '@billing/domain';
import { z } from 'zod';
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

/** A price as the catalog shall hold it. */
export type NewPrice = PriceTerms & {
  priceId: string;
  productId: string;
  stripePriceId: string;
  accessDays: number | null;
};

/** What Stripe said when it was asked for the price just now; `unknown`: it did not answer, and is asked again. */
export type PriceCheck = 'same' | 'differs' | 'missing' | 'unknown';

/** What is stored of it. */
export const checkColumns = (check: PriceCheck, now: Instant) => ({
  verifiedAt: check === 'same' ? new Date(now) : null,
  verifyAt: check === 'same' ? null : new Date(check === 'unknown' ? now : now + firstAgainMs),
  verifyAttempts: 0,
  verifyProblem: check === 'same' || check === 'unknown' ? null : check,
});

/** When Stripe is asked again for a price that it does not have, or has otherwise. */
const firstAgainMs = 60_000;

type CreatePrice = { projectId: string; price: NewPrice; check: PriceCheck; now: Instant; actor: Actor };

const interval = z.enum(priceIntervals);
const usage = z.enum(usageTypes).nullable();

/** What the catalog says of a stored price. */
export const termsOf = (row: Price): PriceTerms => ({
  amount: row.amount === null ? null : Number(row.amount),
  currency: row.currency,
  interval: interval.parse(row.interval),
  intervalCount: row.intervalCount,
  usageType: usage.parse(row.usageType),
});

/** A price as the audit log shows it. */
export const detailsOf = (price: Omit<NewPrice, 'priceId'>) => ({
  product_id: price.productId,
  stripe_price_id: price.stripePriceId,
  amount: price.amount,
  currency: price.currency,
  interval: price.interval,
  interval_count: price.intervalCount,
  usage_type: price.usageType,
  access_days: price.accessDays,
});

/**
 * Maps a Stripe price to a product and releases what waited for it. Throws `project_not_found`,
 * `product_not_found`, `price_exists`: also where the Stripe price is another project's, and where our id
 * of one price would be Stripe's id of another, as callers name prices by either.
 */
export async function createPrice(
  database: Database,
  { projectId, price, check, now, actor }: CreatePrice,
): Promise<Changed<Price>> {
  const { priceId, productId, stripePriceId } = price;
  const changed = await changeProject(database, projectId, async (tx) => {
    await getProduct(tx, { projectId, productId });
    await refuseTakenPrice(tx, { projectId, priceId, stripePriceId });
    const row = { projectId, ...price, ...checkColumns(check, now) };
    const { count } = await tx.price.createMany({ data: [row], skipDuplicates: true });
    if (count === 0) throw priceExists();
    const pending = await releaseForPrice(tx, { projectId, priceId, stripePriceId });
    await writeAudit(tx, {
      actor,
      action: 'price.create',
      projectId,
      target: { type: 'price', id: priceId },
      change: { before: null, after: detailsOf(price) },
    });
    return {
      result: { price: await getPrice(tx, { projectId, priceId }), pending },
      changed: { stripePriceId },
    };
  });
  const late = await releaseAgain(database, (tx) =>
    releaseForPrice(tx, { projectId, priceId, stripePriceId }),
  );
  return { result: changed.result.price, pending: [...changed.result.pending, ...changed.pending, ...late] };
}

const priceExists = (): ServiceError =>
  new ServiceError('price_exists', 'Use a price_id and a stripe_price_id that are not in use.');

/** Throws `price_exists` where a price has one of the ids; another request may take them right after. */
export async function refuseTakenPrice(
  database: Queries,
  { projectId, priceId, stripePriceId }: PriceKey & { stripePriceId: string },
): Promise<void> {
  const ofProject = [{ priceId }, { stripePriceId: priceId }, { priceId: stripePriceId }];
  const clash = await database.price.findFirst({
    where: { OR: [{ stripePriceId }, { projectId, OR: ofProject }] },
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
