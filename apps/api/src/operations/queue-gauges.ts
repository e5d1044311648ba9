import type { JobQueue } from '@billing/platform';
import type { AppDeps } from '../deps.ts';

async function refresh({ metrics }: Pick<AppDeps, 'metrics'>, queue: JobQueue): Promise<void> {
  const [counts, oldestWaitingMs] = await Promise.all([queue.counts(), queue.oldestWaitingMs()]);
  for (const [state, count] of Object.entries(counts))
    metrics.queueJobs.set({ queue: queue.name, state }, count);
  metrics.queueOldestWaiting.set({ queue: queue.name }, (oldestWaitingMs ?? 0) / 1000);
}

async function refreshRedis({
  metrics,
  inspectQueueRedis,
}: Pick<AppDeps, 'metrics' | 'inspectQueueRedis'>): Promise<void> {
  const { evictionPolicy, persistent } = await inspectQueueRedis();
  metrics.queueRedisInfo.set({ eviction_policy: evictionPolicy, persistent: String(persistent) }, 1);
}

/** The numbers are of one scrape: where several processes are added up, only the one that was asked may count. */
export function resetQueueGauges({ metrics }: Pick<AppDeps, 'metrics'>): void {
  metrics.queueJobs.reset();
  metrics.queueOldestWaiting.reset();
  metrics.queueRedisInfo.reset();
}

/**
 * Reads the depth of the queues for a scrape. While Redis is away there is none: an old number would look
 * like a queue that stands still.
 */
export async function refreshQueueGauges(
  deps: Pick<AppDeps, 'metrics' | 'stripeEvents' | 'maintenance' | 'inspectQueueRedis'>,
): Promise<void> {
  resetQueueGauges(deps);
  await Promise.allSettled([
    ...[deps.stripeEvents, deps.maintenance].map((queue) => refresh(deps, queue)),
    refreshRedis(deps),
  ]);
}
