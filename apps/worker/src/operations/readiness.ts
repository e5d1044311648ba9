import { checkQueueRedis, createReadiness } from '@billing/platform';
import type { Readiness, RedisClient, StripePermissions, WebhookSecrets } from '@billing/platform';
import { checkErasureKeys, checkWebhookKeys, createDatabaseCheck } from '@billing/store';
import type { Database, ErasureKeys } from '@billing/store';

const deadlineMs = 1_500;

type ReadinessDeps = {
  database: Pick<Database, '$queryRaw' | 'refusedParameters'>;
  queueRedis: RedisClient;
  isConsuming: () => boolean;
  /** In production the queue's Redis must not evict: jobs would vanish without an error. */
  mustNotEvict: boolean;
  isStopping: () => boolean;
  stripePermissions: StripePermissions;
  erasureKeys: ErasureKeys;
  webhookSecrets: WebhookSecrets;
};

/** Whether this worker can work: it writes to Postgres what it takes from the queue, and is of no use without either. */
export function createWorkerReadiness(deps: ReadinessDeps): Readiness {
  const { database, queueRedis, isConsuming, mustNotEvict, isStopping, stripePermissions } = deps;
  return createReadiness({
    deadlineMs,
    isStopping,
    checks: {
      database: createDatabaseCheck(database),
      redis: async () =>
        isConsuming()
          ? checkQueueRedis(queueRedis, { mustNotEvict })
          : { state: 'away', says: 'unreachable' },
    },
    notes: stripePermissions.check,
    further: async () => ({
      ...(await checkErasureKeys(database, deps.erasureKeys, 'blocked')),
      ...(await checkWebhookKeys(database, deps.webhookSecrets)),
    }),
    isOfUse: () => false,
  });
}
