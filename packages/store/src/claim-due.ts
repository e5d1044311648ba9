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

/** The tables of objects that are rechecked. */
export type RecheckedTable = 'subscriptions' | 'purchases';

/**
 * Puts off the next recheck of a row that is still as it was when it was claimed, and still waits for one; its row version
 * stays, as nothing about the object changes.
 */
export async function postponeRecheck(
  database: Database,
  table: RecheckedTable,
  { id, rowVersion, until }: { id: string; rowVersion: number; until: Instant },
): Promise<void> {
  await database.$executeRaw`
    UPDATE ${Prisma.raw(table)} SET settle_at = ${new Date(until)}
    WHERE id = ${id} AND fence = ${rowVersion} AND settle_at IS NOT NULL`;
}

/**
 * Takes objects that are due to be read from Stripe. Each is put off until `retryAt` first, so that another worker does
 * not take it too and a crash only delays it; the row version stays, as nothing about the object changes.
 */
async function claimDue(
  database: Database,
  table: RecheckedTable,
  { now, retryAt, limit }: DueClaim,
): Promise<string[]> {
  const objects = Prisma.raw(table);
  const rows = await database.$queryRaw<{ id: string }[]>`
    UPDATE ${objects} SET settle_at = ${new Date(retryAt)}, settle_attempts = settle_attempts + 1
    WHERE id IN (
      SELECT id FROM ${objects} WHERE settle_at <= ${new Date(now)}
      ORDER BY settle_at LIMIT ${limit} FOR UPDATE SKIP LOCKED)
    RETURNING id`;
  return rows.map((row) => row.id);
}
