import { noteQueueServer } from '@billing/store';
import type { QueueRedisReport } from '@billing/platform';
import type { MaintenanceDeps } from './deps.ts';

const addDeadlineMs = 5_000;
/** Stripe's list shows events about a minute late: what was lost last is only found by a second sweep. */
const againAfterMs = 90_000;

type Deps = Pick<MaintenanceDeps, 'database' | 'maintenance' | 'mode' | 'logger'>;

/**
 * Starts a sweep at once, and another one a little later, when another Redis holds the queue than before, or another process of
 * it, or it was promoted: what the former had acknowledged may be lost with it. One worker does so for all.
 */
export async function sweepAfterChange(
  { database, maintenance, mode, logger }: Deps,
  { id, isPrimary }: Pick<QueueRedisReport, 'id' | 'isPrimary'>,
): Promise<void> {
  if (id === null || !isPrimary) return;
  await noteQueueServer(database, { mode, server: id }, async () => {
    logger.warn('queue_redis_changed', { starts: 'sweep' });
    const name = 'sweep';
    // Ids, so that workers which notice it at the same time add them once.
    const jobId = `sweep-after-${id.slice(0, 8)}-${id.slice(-8)}`;
    await maintenance.add({ name, jobId, data: {} }, { deadlineMs: addDeadlineMs });
    const opts = { delay: againAfterMs };
    await maintenance.add({ name, jobId: `${jobId}-again`, data: {}, opts }, { deadlineMs: addDeadlineMs });
  });
}
