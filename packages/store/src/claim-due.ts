import type { Instant } from '@billing/domain';
import type { Database } from './create-database.ts';
import { Prisma } from './generated/client.ts';

type DueClaim = { now: Instant; retryAt: Instant; limit: number };

/** Subscriptions whose state is in doubt. */
export const claimDueSubscriptions = (database: Database, claim: DueClaim): Promise<string[]> =>
  claimDue(database, 'subscriptions', claim);

/** Purchases that lack what only Stripe knows. */
export const claimDuePurchases = (database: Database, claim: DueClaim): Promise<string[]> =>
  claimDue(database, 'purchases', claim);

/**
 * Takes objects that are due to be read from Stripe. Each is put off until `retryAt` first, so that another worker does
 * not take it too and a crash only delays it; the row version stays, as nothing about the object changes.
 */
async function claimDue(
  database: Database,
  table: 'subscriptions' | 'purchases',
  { now, retryAt, limit }: DueClaim,
): Promise<string[]> {
  const objects = Prisma.raw(`public.${table}`);
  const rows = await database.$queryRaw<{ id: string }[]>`
    UPDATE ${objects} SET settle_at = ${new Date(retryAt)}, settle_attempts = settle_attempts + 1
    WHERE id IN (
      SELECT id FROM ${objects} WHERE settle_at <= ${new Date(now)}
      ORDER BY settle_at LIMIT ${limit} FOR UPDATE SKIP LOCKED)
    RETURNING id`;
  return rows.map((row) => row.id);
}
