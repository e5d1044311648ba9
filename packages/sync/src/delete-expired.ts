import { deleteExpiredKeys, deleteFinishedEvents, deleteOldRuns } from '@billing/store';
import type { JobOutcome, MaintenanceDeps } from './deps.ts';
import { dropPayloadMonths } from './payload-months.ts';
import { dropExpiredUsage } from './usage/usage-retention.ts';

/**
 * Deletes what is no longer kept: finished events of the ledger and all payloads after `EVENT_RETENTION_DAYS`, finished
 * runs after 90 days, idempotency keys after one. In small steps; a worker that stops leaves the rest to the next hour.
 */
export async function deleteExpired(deps: MaintenanceDeps): Promise<JobOutcome> {
  const { database, clock, logger, counters, signal, eventRetentionMs } = deps;
  await deleteOldRuns(database);
  while (!signal.aborted && (await deleteExpiredKeys(database, clock()))) continue;
  const before = new Date(clock() - eventRetentionMs);
  let total = 0;
  for (let hasMore = true; hasMore && !signal.aborted;) {
    const step = await deleteFinishedEvents(database, { before });
    counters.eventsDeleted.inc(step.deleted);
    total += step.deleted;
    hasMore = step.hasMore;
  }
  if (total > 0)
    logger.info('ledger_events_deleted', { count: total, finished_before: before.toISOString() });
  await dropPayloadMonths(deps);
  await dropExpiredUsage(deps);
  return { kind: 'done' };
}
