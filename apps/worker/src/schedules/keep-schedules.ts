import { hourMs } from '@billing/domain';
import { findIdleRuns } from '@billing/store';
import type { MaintenanceDeps } from '@billing/sync';
import { enqueueRun } from '@billing/sync';

type SchedulerDeps = Pick<MaintenanceDeps, 'maintenance' | 'sweepIntervalMs' | 'reconcileCron' | 'logger'>;
type Repeat = { every: number } | { pattern: string; tz: string };

/** A schedule whose turn is that long over has lost its job. */
const overdueMs = 60_000;

/**
 * Keeps the schedules alive that live in Redis, which may be emptied at any time: one that is missing, says
 * something else, or stands still is made anew. One that was there a moment ago means that Redis lost its
 * data: then the sweep starts at once.
 */
export function createScheduleKeeper(deps: SchedulerDeps): () => Promise<'rest'> {
  const { maintenance, sweepIntervalMs, reconcileCron, logger } = deps;
  const seen = new Set<string>();

  async function keep(id: string, repeat: Repeat): Promise<void> {
    const known = await maintenance.getSchedule(id);
    const isSame = 'every' in repeat ? known?.every === repeat.every : known?.pattern === repeat.pattern;
    const isAlive = known?.next !== undefined && known.next > Date.now() - overdueMs;
    if (isSame && isAlive) {
      seen.add(id);
      return;
    }
    const isLost = known === undefined && seen.has(id);
    if (isLost) logger.warn('schedule_lost', { schedule: id });
    const startDate = 'every' in repeat && !isLost ? { startDate: nextSlot(Date.now(), repeat.every) } : {};
    await maintenance.setSchedule(id, { ...repeat, ...startDate });
    seen.add(id);
  }

  return async () => {
    if (!maintenance.ready()) return 'rest';
    await keep('sweep', { every: sweepIntervalMs });
    await keep('retention', { every: hourMs });
    await keep('reconcile', { pattern: reconcileCron, tz: 'UTC' });
    return 'rest';
  };
}

/** The same moment for all workers, and not at once for each that starts. */
const nextSlot = (now: number, every: number): number => (Math.floor(now / every) + 1) * every;

/** Runs whose job is gone (Redis was emptied, or the queue was away when it was ordered) get a new one. */
export async function requeueIdleRuns(deps: MaintenanceDeps): Promise<'rest'> {
  if (!deps.maintenance.ready()) return 'rest';
  for (const run of await findIdleRuns(deps.database)) await enqueueRun(deps, run);
  return 'rest';
}
