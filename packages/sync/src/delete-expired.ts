import {
  deleteEndedCheckouts,
  deleteEndedSessions,
  deleteExpiredKeys,
  deleteExpiredMessages,
  deleteFinishedEvents,
  deleteOldRuns,
  deleteOldSamples,
} from '@billing/store';
import { deleteOldRevenue } from './count-revenue.ts';
import type { JobOutcome, MaintenanceDeps } from './deps.ts';
import { dropPayloadMonths } from './payload-months.ts';
import { dropExpiredUsage } from './usage/usage-retention.ts';

/**
 * Deletes what is no longer kept: finished events of the ledger and all payloads after `EVENT_RETENTION_DAYS`, finished
 * runs after 90 days, idempotency keys after one, checkout pages after they ended, messages to products after `WEBHOOK_RETENTION_DAYS`, samples after two days, revenue of
 * days after five years, sessions of the console that have ended. In small steps; a worker that stops leaves the rest to the next hour.
 */
export async function deleteExpired(deps: MaintenanceDeps): Promise<JobOutcome> {
  const { database, clock, logger, counters, signal, eventRetentionMs } = deps;
  await deleteOldRuns(database);
  await deleteOldSamples(database, clock());
  await deleteEndedSessions(database, clock());
  while (!signal.aborted && (await deleteExpiredKeys(database, clock()))) continue;
  while (!signal.aborted && (await deleteEndedCheckouts(database, clock()))) continue;
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
  await deleteSentMessages(deps);
  await deleteOldRevenue(deps);
  return { kind: 'done' };
}

async function deleteSentMessages({
  database,
  clock,
  logger,
  signal,
  webhookRetentionMs,
}: MaintenanceDeps): Promise<void> {
  const before = new Date(clock() - webhookRetentionMs);
  let total = 0;
  for (let hasMore = true; hasMore && !signal.aborted;) {
    const step = await deleteExpiredMessages(database, { before });
    total += step.deleted;
    hasMore = step.hasMore;
  }
  if (total > 0) logger.info('webhook_messages_deleted', { count: total, made_before: before.toISOString() });
}
