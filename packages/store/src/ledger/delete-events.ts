import type { Database } from '../create-database.ts';

/** Rows of one statement: short enough never to hold up a worker that writes the ledger. */
const FORGET_AT_ONCE = 2_000;

/**
 * Deletes rows of the ledger that were settled before `before`, a few thousand at a time; returns how many, and whether
 * there may be more. What waits for somebody (`quarantined`, `failed`) stays whatever its age.
 */
export async function deleteFinishedEvents(
  database: Database,
  { before }: { before: Date },
): Promise<{ forgotten: number; hasMore: boolean }> {
  const forgotten = await database.$executeRaw`
    WITH old AS MATERIALIZED (
      SELECT event_id FROM stripe_events
      WHERE status IN ('applied', 'stale', 'ignored') AND processed_at < ${before}
      ORDER BY processed_at LIMIT ${FORGET_AT_ONCE} FOR UPDATE SKIP LOCKED
    )
    DELETE FROM stripe_events WHERE event_id = ANY(ARRAY(SELECT event_id FROM old))`;
  return { forgotten, hasMore: forgotten === FORGET_AT_ONCE };
}
