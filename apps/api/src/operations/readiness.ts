import { withDeadline } from '@billing/platform';
import type { AppDeps } from '../deps.ts';

const checkDeadlineMs = 1_000;

async function checkDatabase({ database }: Pick<AppDeps, 'database'>): Promise<string> {
  await database.$queryRaw`SELECT 1`;
  return 'ok';
}

/** In production the queue's Redis must not evict: jobs would vanish without an error. */
async function checkRedis(deps: Pick<AppDeps, 'inspectQueueRedis' | 'config'>): Promise<string> {
  const { evictionPolicy } = await deps.inspectQueueRedis();
  return deps.config.environment === 'production' && evictionPolicy !== 'noeviction'
    ? 'may evict jobs: set noeviction'
    : 'ok';
}

async function resultOf(check: Promise<string>): Promise<string> {
  try {
    return await withDeadline(check, {
      ms: checkDeadlineMs,
      onTimeout: () => new Error('no answer in time'),
    });
  } catch {
    return 'unreachable';
  }
}

/** Whether this process should be sent requests, and what is missing if not. */
export async function checkReadiness(
  deps: Pick<AppDeps, 'database' | 'inspectQueueRedis' | 'config' | 'isStopping'>,
): Promise<{ isReady: boolean; checks: Record<string, string> }> {
  const [database, redis] = await Promise.all([resultOf(checkDatabase(deps)), resultOf(checkRedis(deps))]);
  const checks = { database, redis, ...(deps.isStopping() ? { process: 'shutting down' } : {}) };
  return { isReady: Object.values(checks).every((state) => state === 'ok'), checks };
}
