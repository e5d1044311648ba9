import { hourMs } from '@billing/domain';
import { endLostImports, findIdleRuns } from '@billing/store';
import { enqueueRun } from '@billing/sync';
import type { MaintenanceDeps } from '@billing/sync';

type SchedulerDeps = Pick<MaintenanceDeps, 'maintenance' | 'sweepIntervalMs' | 'reconcileCron' | 'logger'>;
type Repeat = { every: number } | { pattern: string; tz: string };

/** A schedule that is overdue by more has lost its job. */
const overdueMs = 60_000;

/**
 * Maintains the schedules in Redis, which may be emptied at any time: one that is missing, different or overdue is
 * recreated. If it existed a moment ago, Redis has lost its data: then the sweep starts at once.
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

/** The same moment for all workers, and not immediately for each one that starts. */
const nextSlot = (now: number, every: number): number => (Math.floor(now / every) + 1) * every;

/** Adds a job for runs that have none: Redis was emptied, or unreachable when the run was requested. */
export async function requeueIdleRuns(deps: MaintenanceDeps): Promise<'rest'> {
  if (!deps.maintenance.ready()) return 'rest';
  await endLostImports(deps.database);
  for (const run of await findIdleRuns(deps.database)) await enqueueRun(deps, run);
  return 'rest';
}
