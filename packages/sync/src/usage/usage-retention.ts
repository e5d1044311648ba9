import {
  deleteExpiredUsage,
  dropUsageWeek,
  isDatabaseUnavailable,
  listUsageWeeks,
  makeUsageWeek,
  planUsageWeeks,
} from '@billing/store';
import type { WeeksPlan } from '@billing/store';
import type { MaintenanceDeps } from '../deps.ts';

/** So many weeks are made ahead: longer than a worker is ever off. */
const weeksAhead = 5;

type Deps = Pick<MaintenanceDeps, 'database' | 'clock' | 'logger' | 'signal' | 'usage' | 'counters'>;

const plan = async ({ database, clock, usage }: Deps): Promise<WeeksPlan> =>
  planUsageWeeks({
    existing: await listUsageWeeks(database),
    now: clock(),
    weeksAhead,
    keptMs: usage.settings.retentionMs,
  });

/** Makes the partitions of events for this week and the next ones, and measures how many there are. */
export async function makeUsageWeeks(deps: Deps): Promise<void> {
  const { missing, ahead } = await plan(deps);
  deps.counters.usageWeeksAhead.set(ahead);
  for (const week of missing) await makeUsageWeek(deps.database, week);
  if (missing.length > 0) deps.counters.usageWeeksAhead.set((await plan(deps)).ahead);
}

/** Drops what of usage is no longer kept: events and their ids after `USAGE_EVENT_RETENTION_DAYS`, and what belongs to them. */
export async function dropExpiredUsage(deps: Deps): Promise<void> {
  const { database, clock, logger, signal, usage } = deps;
  while (!signal.aborted && (await deleteExpiredUsage(database, { now: clock(), settings: usage.settings })))
    continue;
  for (const week of (await plan(deps)).expired) {
    if (signal.aborted) return;
    try {
      if (await dropUsageWeek(database, week)) logger.info('usage_events_dropped', { week });
    } catch (error) {
      // The table's lock is awaited only briefly; the next hour tries again.
      if (!isDatabaseUnavailable(error)) throw error;
      logger.warn('usage_events_not_dropped', { week, error });
    }
  }
}
