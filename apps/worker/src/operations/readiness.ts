import { withDeadline } from '@billing/platform';
import type { QueueRedisReport, ReadinessChecks } from '@billing/platform';
import type { Database } from '@billing/store';

const checkMs = 1_500;

type ReadinessDeps = {
  database: Pick<Database, '$queryRaw'>;
  isConsuming: () => boolean;
  inspectQueue: () => Promise<QueueRedisReport>;
  /** In production the queue's Redis must not evict. */
  mustNotEvict: boolean;
  isStopping: () => boolean;
};

async function checkQueue({ isConsuming, inspectQueue, mustNotEvict }: ReadinessDeps): Promise<string> {
  if (!isConsuming()) return 'unreachable';
  if (!mustNotEvict) return 'ok';
  const { evictionPolicy } = await inspectQueue();
  return evictionPolicy === 'noeviction' ? 'ok' : `maxmemory-policy is ${evictionPolicy}, not noeviction`;
}

/** The worker's part of `/ready`: whether Postgres answers and the queue is consumed. */
export async function checkReadiness(deps: ReadinessDeps): Promise<ReadinessChecks> {
  const [database, redis] = await Promise.all([
    withDeadline(deps.database.$queryRaw`SELECT 1`, {
      ms: checkMs,
      onTimeout: () => new Error('Postgres did not answer.'),
    }).then(
      () => 'ok',
      () => 'unreachable',
    ),
    checkQueue(deps).catch(() => 'unreachable'),
  ]);
  return { database, redis, ...(deps.isStopping() ? { process: 'shutting down' } : {}) };
}
