import type { Instant } from '@billing/domain';
import type { Database } from '../create-database.ts';

/**
 * Takes subscriptions whose state is in doubt and due to be read from Stripe. Each is put off until
 * `retryAt` first, so that another worker does not take it too and a crash only delays it; the fence is
 * not touched, as nothing about the subscription changes.
 */
export async function claimDueSubscriptions(
  database: Database,
  { now, retryAt, limit }: { now: Instant; retryAt: Instant; limit: number },
): Promise<string[]> {
  const rows = await database.$queryRaw<{ id: string }[]>`
    UPDATE subscriptions SET settle_at = ${new Date(retryAt)}, settle_attempts = settle_attempts + 1
    WHERE id IN (
      SELECT id FROM subscriptions WHERE settle_at <= ${new Date(now)}
      ORDER BY settle_at LIMIT ${limit} FOR UPDATE SKIP LOCKED)
    RETURNING id`;
  return rows.map((row) => row.id);
}
