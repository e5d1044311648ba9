import type { QueueStateOut } from '@billing/domain';
import type { JobQueue } from './create-queue.ts';

/** How a queue stands now. Rejects with QueueUnavailableError. */
export async function readQueueState(
  queue: Pick<JobQueue, 'name' | 'counts' | 'oldestWaitingMs'>,
): Promise<QueueStateOut> {
  const [counts, oldestWaitingMs] = await Promise.all([queue.counts(), queue.oldestWaitingMs()]);
  const countOf = (state: string): number => counts[state] ?? 0;
  return {
    name: queue.name,
    waiting: countOf('waiting') + countOf('prioritized'),
    active: countOf('active'),
    delayed: countOf('delayed'),
    failed: countOf('failed'),
    oldest_seconds: (oldestWaitingMs ?? 0) / 1000,
  };
}
