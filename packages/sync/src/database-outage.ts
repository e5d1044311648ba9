import type { Database } from '@billing/store';
import { withDeadline } from '@billing/platform';

const probeMs = 2_000;

/**
 * Whether an error is an outage of Postgres rather than the event's own fault: asked of Postgres itself, as
 * no list of error codes is complete. Read-only counts as away: nothing can be applied.
 */
export async function isDatabaseAway(database: Pick<Database, '$queryRaw'>): Promise<boolean> {
  try {
    const rows = await withDeadline(
      database.$queryRaw<{ is_read_only: boolean }[]>`
        SELECT pg_is_in_recovery() OR current_setting('transaction_read_only') = 'on' AS is_read_only`,
      { ms: probeMs, onTimeout: () => new Error('Postgres did not answer.') },
    );
    return rows[0]?.is_read_only !== false;
  } catch {
    return true;
  }
}
