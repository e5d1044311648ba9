import type { Instant } from '@billing/domain';
import type { Database } from './create-database.ts';
import { Prisma } from './generated/client.ts';

type DueClaim = { now: Instant; retryAt: Instant; limit: number };

/** Subscriptions whose state is in doubt. */
export const claimDueSubscriptions = (database: Database, claim: DueClaim): Promise<string[]> =>
  claimDue(database, 'subscriptions', claim);

/**
 * What an older version of the service recorded without asking what an invoice was for: payments of invoices that were
 * taken back, and purchases that it took for such payments. They are due as they are, as it may still be running.
 */
const ofUnknownInvoices = Prisma.sql`
  settle_at IS NULL AND missing_in_stripe_at IS NULL AND invoice_id IS NOT NULL
    AND (session_id IS NOT NULL OR ((amount_refunded > 0 OR dispute_status IS NOT NULL)
      AND (jsonb_typeof(record -> 'invoice') IS DISTINCT FROM 'object' OR record -> 'invoice' ? 'isAssumed')))`;

/** Purchases that lack what only Stripe knows. */
export const claimDuePurchases = async (database: Database, claim: DueClaim): Promise<string[]> => {
  const due = await claimDue(database, 'purchases', claim);
  const left = claim.limit - due.length;
  if (left <= 0) return due;
  return [...due, ...(await claimWhere(database, 'purchases', { ...claim, limit: left }, ofUnknownInvoices))];
};

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
    UPDATE ${Prisma.raw(`public.${table}`)} SET settle_at = ${new Date(until)}
    WHERE id = ${id} AND fence = ${rowVersion} AND settle_at IS NOT NULL`;
}

/**
 * Takes objects that are due to be read from Stripe. Each is put off until `retryAt` first, so that another worker does
 * not take it too and a crash only delays it; the row version stays, as nothing about the object changes.
 */
const claimDue = (database: Database, table: RecheckedTable, claim: DueClaim): Promise<string[]> =>
  claimWhere(database, table, claim, Prisma.sql`settle_at <= ${new Date(claim.now)}`);

async function claimWhere(
  database: Database,
  table: RecheckedTable,
  { retryAt, limit }: DueClaim,
  isDue: Prisma.Sql,
): Promise<string[]> {
  const objects = Prisma.raw(`public.${table}`);
  // Nearly always nothing is due; a look takes one round trip, an update that may write a transaction.
  const [look] = await database.$queryRaw<{ isAny: boolean }[]>`
    SELECT EXISTS (SELECT FROM ${objects} WHERE ${isDue}) AS "isAny"`;
  if (look?.isAny !== true) return [];
  const rows = await database.$queryRaw<{ id: string }[]>`
    UPDATE ${objects} SET settle_at = ${new Date(retryAt)}, settle_attempts = settle_attempts + 1
    WHERE id IN (
      SELECT id FROM ${objects} WHERE ${isDue}
      ORDER BY settle_at LIMIT ${limit} FOR UPDATE SKIP LOCKED)
    RETURNING id`;
  return rows.map((row) => row.id);
}
