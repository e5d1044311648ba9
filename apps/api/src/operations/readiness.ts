import { checkDependencies } from '@billing/platform';
import type { ReadinessChecks } from '@billing/platform';
import type { AppDeps } from '../deps.ts';

const deadlineMs = 1_000;

type ReadinessDeps = Pick<
  AppDeps,
  'database' | 'inspectQueueRedis' | 'config' | 'isStopping' | 'stripePermissions'
>;

/** What this process depends on, and whether it is there. */
export async function checkReadiness({
  database,
  inspectQueueRedis,
  config,
  isStopping,
  stripePermissions,
}: ReadinessDeps): Promise<ReadinessChecks> {
  const checks = await checkDependencies({
    deadlineMs,
    isStopping,
    checks: {
      database: () => database.$queryRaw`SELECT 1`.then(() => 'ok'),
      // In production the queue's Redis must not evict: jobs would vanish without an error.
      redis: async () => {
        const { evictionPolicy } = await inspectQueueRedis();
        const mayEvict = config.environment === 'production' && evictionPolicy !== 'noeviction';
        return mayEvict ? 'may evict jobs: set noeviction' : 'ok';
      },
    },
  });
  return { ...checks, ...stripePermissions.check() };
}
