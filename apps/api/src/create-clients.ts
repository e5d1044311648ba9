import { systemClock } from '@billing/domain';
import { connectRedis, createStripeClient, createStripePermissions } from '@billing/platform';
import {
  createClockGauge,
  createDatabase,
  createEntitlementCache,
  createOutboxCleaner,
  createPoolGauges,
  readClockSkewMs,
  watchReplicas,
} from '@billing/store';
import type { ApiConfig } from './config.ts';
import type { AppDeps } from './deps.ts';

const connectTimeoutMs = 2_000;
/** Longer than any read needs; checks have a shorter deadline of their own. */
const statementTimeoutMs = 5_000;

export type Basics = Pick<AppDeps, 'clock' | 'logger' | 'metrics'>;

/** The connections to Postgres, Redis and Stripe. */
export function createClients(config: ApiConfig, basics: Basics) {
  const { logger, metrics } = basics;
  const stripePermissions = createStripePermissions(metrics);
  const connections = {
    poolSize: config.databasePoolSize,
    hasPreparedStatements: config.hasPreparedStatements,
    connectionSeconds: config.connectionSeconds,
    connectTimeoutMs,
    statementTimeoutMs,
    observe: (operation: string, seconds: number) =>
      metrics.databaseQueryDuration.observe({ operation }, seconds),
  };
  const database = createDatabase({
    ...connections,
    url: config.databaseUrl,
    watchPool: createPoolGauges(metrics).watch,
  });
  const cacheRedis = connectRedis({
    url: config.cacheRedisUrl,
    role: 'cache',
    logger,
    keyPrefix: config.cachePrefix,
  });
  createClockGauge(metrics, () => readClockSkewMs({ database, clock: basics.clock }));
  return {
    stripePermissions,
    database,
    outboxCleaner: createOutboxCleaner({ database, logger }),
    replicas: watchReplicas({
      primary: database,
      urls: config.replicaUrls,
      maxLagMs: config.replicaMaxLagMs,
      connections,
      clock: systemClock,
      logger,
      metrics,
    }),
    cacheRedis,
    cache: createEntitlementCache({
      ...basics,
      redis: cacheRedis,
      database,
      ttlSeconds: config.cacheTtlSeconds,
      service: 'api',
    }),
    queueRedis: connectRedis({ url: config.redisUrl, role: 'producer', logger }),
    stripe: createStripeClient({
      secretKey: config.stripeSecretKey,
      apiBase: config.stripeApiBase,
      permissions: stripePermissions,
      observe: (operation, outcome, seconds) =>
        metrics.stripeRequestDuration.observe({ operation, outcome }, seconds),
    }),
  };
}
