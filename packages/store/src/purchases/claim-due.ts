import type { Instant } from '@billing/domain';
import type { Database } from '../create-database.ts';

/** As `claimDueSubscriptions`: purchases that lack what only Stripe knows. */
export async function claimDuePurchases(
  database: Database,
  { now, retryAt, limit }: { now: Instant; retryAt: Instant; limit: number },
): Promise<string[]> {
  const rows = await database.$queryRaw<{ id: string }[]>`
    UPDATE purchases SET settle_at = ${new Date(retryAt)}, settle_attempts = settle_attempts + 1
    WHERE id IN (
      SELECT id FROM purchases WHERE settle_at <= ${new Date(now)}
      ORDER BY settle_at LIMIT ${limit} FOR UPDATE SKIP LOCKED)
    RETURNING id`;
  return rows.map((row) => row.id);
}
