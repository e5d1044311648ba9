import { checkDependencies } from '@billing/platform';
import type { QueueRedisReport, ReadinessChecks, StripePermissions } from '@billing/platform';
import type { Database } from '@billing/store';

const deadlineMs = 1_500;

type ReadinessDeps = {
  database: Pick<Database, '$queryRaw'>;
  isConsuming: () => boolean;
  inspectQueue: () => Promise<QueueRedisReport>;
  /** In production the queue's Redis must not evict: jobs would vanish without an error. */
  mustNotEvict: boolean;
  isStopping: () => boolean;
  stripePermissions: StripePermissions;
};

/** What this process depends on: Postgres, and a queue that is being consumed. */
export async function checkReadiness(deps: ReadinessDeps): Promise<ReadinessChecks> {
  const checks = await checkDependencies({
    deadlineMs,
    isStopping: deps.isStopping,
    checks: {
      database: () => deps.database.$queryRaw`SELECT 1`.then(() => 'ok'),
      redis: async () => {
        if (!deps.isConsuming()) return 'unreachable';
        if (!deps.mustNotEvict) return 'ok';
        const { evictionPolicy } = await deps.inspectQueue();
        return evictionPolicy === 'noeviction'
          ? 'ok'
          : `maxmemory-policy is ${evictionPolicy}, not noeviction`;
      },
    },
  });
  return { ...checks, ...deps.stripePermissions.check() };
}
