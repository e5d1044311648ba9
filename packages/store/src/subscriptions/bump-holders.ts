import type { PendingInvalidation } from '../change-user.ts';
import type { Queries } from '../create-database.ts';

/**
 * Lets the version grow of every user of whose subscription an invoice bills the running period, but those
 * who were told already.
 */
export function bumpHolders(
  database: Pick<Queries, '$queryRaw'>,
  { invoiceId, except }: { invoiceId: string; except: readonly number[] },
): Promise<PendingInvalidation[]> {
  const told = except.map(BigInt);
  return database.$queryRaw<PendingInvalidation[]>`
    WITH locked AS MATERIALIZED (
      SELECT id FROM users
      WHERE id IN (
          SELECT user_ref FROM subscriptions
          WHERE coalesce(period_invoice_id, latest_invoice_id) = ${invoiceId} AND user_ref IS NOT NULL)
        AND id <> ALL(${told}::bigint[])
      ORDER BY id FOR NO KEY UPDATE),
    bumped AS (
      UPDATE users SET version = version + 1 WHERE id IN (SELECT id FROM locked)
      RETURNING project_id, user_id, version)
    INSERT INTO cache_invalidations (project_id, user_id, version)
    SELECT project_id, user_id, version FROM bumped
    RETURNING id, project_id AS "projectId", user_id AS "userId", version`;
}
