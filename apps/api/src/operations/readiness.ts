import { checkQueueRedis, createReadiness } from '@billing/platform';
import type { Readiness, RedisClient } from '@billing/platform';
import { checkCache, checkErasureKeys, checkWebhookKeys, createDatabaseCheck } from '@billing/store';
import type { AppDeps } from '../deps.ts';

const deadlineMs = 1_000;

type ReadinessDeps = Pick<
  AppDeps,
  'database' | 'cache' | 'config' | 'isStopping' | 'stripePermissions' | 'erasureKeys' | 'webhookSecrets'
> & {
  queueRedis: RedisClient;
};

/**
 * Whether this process should be sent requests. Once it has begun it stays, as long as it can read Postgres or the cache:
 * what needs more is answered 503 by itself, and a balancer never drops all checks at once.
 */
export function createApiReadiness({
  database,
  cache,
  config,
  isStopping,
  queueRedis,
  stripePermissions,
  erasureKeys,
  webhookSecrets,
}: ReadinessDeps): Readiness {
  return createReadiness({
    deadlineMs,
    isStopping,
    checks: {
      database: createDatabaseCheck(database),
      redis: () =>
        checkQueueRedis(queueRedis, {
          prefix: config.queuePrefix,
          mustNotEvict: config.environment === 'production',
        }),
    },
    notes: stripePermissions.check,
    further: async () => ({
      ...checkCache(cache),
      ...(await checkErasureKeys(database, erasureKeys, 'noted').catch(() => ({}))),
      ...(await checkWebhookKeys(database, webhookSecrets).catch(() => ({}))),
    }),
    isOfUse: (findings) => findings['database']?.state !== 'away' || cache.isAvailable(),
  });
}
