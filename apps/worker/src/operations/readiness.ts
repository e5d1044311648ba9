import { checkQueueRedis, createReadiness } from '@billing/platform';
import type { Readiness, RedisClient, StripePermissions, WebhookSecrets } from '@billing/platform';
import { checkCache, checkErasureKeys, checkWebhookKeys, createDatabaseCheck } from '@billing/store';
import type { Database, EntitlementCache, ErasureKeys } from '@billing/store';

const deadlineMs = 1_500;

type ReadinessDeps = {
  database: Pick<Database, '$queryRaw' | 'refusedParameters'>;
  queueRedis: RedisClient;
  queuePrefix: string;
  cache: Pick<EntitlementCache, 'offReason'>;
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
  const {
    database,
    queueRedis,
    queuePrefix,
    cache,
    isConsuming,
    mustNotEvict,
    isStopping,
    stripePermissions,
    erasureKeys,
    webhookSecrets,
  } = deps;
  return createReadiness({
    deadlineMs,
    isStopping,
    checks: {
      database: createDatabaseCheck(database),
      redis: async () =>
        isConsuming()
          ? checkQueueRedis(queueRedis, { prefix: queuePrefix, mustNotEvict })
          : { state: 'away', says: 'unreachable' },
    },
    notes: stripePermissions.check,
    further: async () => ({
      ...checkCache(cache),
      ...(await checkErasureKeys(database, erasureKeys, 'blocked').catch(() => ({}))),
      ...(await checkWebhookKeys(database, webhookSecrets).catch(() => ({}))),
    }),
    isOfUse: () => false,
  });
}
