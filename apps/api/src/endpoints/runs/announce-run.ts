import type { AppDeps } from '../../deps.ts';

const enqueueMs = 2_000;

/**
 * Enqueues a run for the workers. While the queue is away the run is done all the same: workers look in Postgres for
 * runs that none of them has claimed.
 */
export async function announceRun(
  { maintenance, logger }: Pick<AppDeps, 'maintenance' | 'logger'>,
  name: 'reconcile' | 'replay' | 'erase',
  runId: string,
): Promise<void> {
  try {
    await maintenance.add({ name, jobId: runId, data: { run_id: runId } }, { deadlineMs: enqueueMs });
  } catch (error) {
    logger.warn('run_not_announced', { run_id: runId, error });
  }
}
