import type { Instant, UsageType } from '@billing/domain';
import type { Database } from '../create-database.ts';
import type { Price } from '../generated/client.ts';
import { checkColumns } from './prices.ts';
import type { PriceCheck } from './prices.ts';

/**
 * Prices that Stripe has to be asked for. Each is put off until `retryAt` first, so that another worker does not take it
 * too and a crash only delays it.
 */
export async function claimDuePrices(
  database: Database,
  { now, retryAt, limit }: { now: Instant; retryAt: Instant; limit: number },
): Promise<Price[]> {
  const keys = await database.$queryRaw<{ projectId: string; priceId: string }[]>`
    UPDATE public.prices SET verify_at = to_timestamp(${retryAt}::float8 / 1000), verify_attempts = verify_attempts + 1
    WHERE (project_id, price_id) IN (
      SELECT project_id, price_id FROM public.prices WHERE verify_at <= to_timestamp(${now}::float8 / 1000)
      ORDER BY verify_at LIMIT ${limit} FOR UPDATE SKIP LOCKED)
    RETURNING project_id AS "projectId", price_id AS "priceId"`;
  return keys.length === 0 ? [] : database.price.findMany({ where: { OR: keys } });
}

/** Prices of one project, or of all, in the order of their Stripe ids. */
export const listPricesAfter = (
  database: Database,
  { projectId, after, limit }: { projectId: string | null; after: string; limit: number },
): Promise<Price[]> =>
  database.price.findMany({
    where: { stripePriceId: { gt: after }, ...(projectId === null ? {} : { projectId }) },
    orderBy: { stripePriceId: 'asc' },
    take: limit,
  });

const longestPauseMs = 24 * 3_600_000;

/** The pauses double, up to a day, while Stripe's answer stays that it does not have the price so. */
const againAt = (attempts: number, now: Instant): Instant =>
  now + Math.min(longestPauseMs, 60_000 * 2 ** Math.min(attempts, 20));

/**
 * Stores what Stripe says of a price, unless the price changed meanwhile. `usageType`: Stripe's, kept where ours is not
 * known.
 */
export async function savePriceCheck(
  database: Database,
  price: Price,
  {
    check,
    usageType,
    now,
  }: { check: Exclude<PriceCheck, 'unknown'>; usageType: UsageType | null; now: Instant },
): Promise<void> {
  const { projectId, priceId, updatedAt, verifyAttempts } = price;
  await database.price.updateMany({
    where: { projectId, priceId, updatedAt },
    data: {
      ...checkColumns(check, now),
      ...(check === 'same' ? { usageType: price.usageType ?? usageType } : {}),
      ...(check === 'same' ? {} : { verifyAt: new Date(againAt(verifyAttempts, now)), verifyAttempts }),
      // What the operator said stays as it was.
      updatedAt,
    },
  });
}

export type UnverifiedPrices = { waiting: number; differs: number; missing: number };

/** How many prices are not verified, by what Stripe said of them. */
export async function countUnverifiedPrices(database: Database): Promise<UnverifiedPrices> {
  const rows = await database.$queryRaw<UnverifiedPrices[]>`
    SELECT (count(*) FILTER (WHERE verify_problem IS NULL))::float8 AS waiting,
      (count(*) FILTER (WHERE verify_problem = 'differs'))::float8 AS differs,
      (count(*) FILTER (WHERE verify_problem = 'missing'))::float8 AS missing
    FROM public.prices WHERE verify_at IS NOT NULL`;
  return rows[0] ?? { waiting: 0, differs: 0, missing: 0 };
}
