import type { Database } from '../create-database.ts';
import type { ClaimedDelivery } from './claim-deliveries.ts';

/** What this process will not end is due for others at once: it may have arrived, and arrives again with the same id. */
export async function releaseClaims(
  database: Pick<Database, '$executeRaw'>,
  claims: readonly Pick<ClaimedDelivery, 'id' | 'claimedUntil'>[],
): Promise<void> {
  if (claims.length === 0) return;
  const rows = claims.map(({ id, claimedUntil }) => ({
    id,
    claimed_until: new Date(claimedUntil).toISOString(),
  }));
  await database.$executeRaw`
    UPDATE public.webhook_deliveries d
    SET claimed_until = NULL, next_try_at = CASE WHEN d.status = 'pending' THEN clock_timestamp() END
    FROM jsonb_to_recordset(${JSON.stringify(rows)}::jsonb) AS r (id bigint, claimed_until timestamptz)
    WHERE d.id = r.id AND d.claimed_until = r.claimed_until`;
}
