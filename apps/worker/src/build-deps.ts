import { randomUUID } from 'node:crypto';
import { dayMs, hourMs, queueNames, systemClock } from '@billing/domain';
import type { Clock } from '@billing/domain';
import {
  connectRedis,
  createMetrics,
  createQueue,
  createStripeClient,
  createStripePermissions,
  inspectQueueRedis,
  stripeModeOf,
  withDeadline,
} from '@billing/platform';
import type { Logger, Metrics, QueueRedisReport, RedisClient, StripePermissions } from '@billing/platform';
import {
  createClockGauge,
  createDatabase,
  createEntitlementCache,
  createErasureKeys,
  createOutboxCleaner,
  createPoolGauges,
  createUsage,
  readClockSkewMs,
  watchReplicas,
} from '@billing/store';
import type { DatabaseOptions, EntitlementCache } from '@billing/store';
import { createPace, createReadBudget, createSharedLookups, createSyncMetrics } from '@billing/sync';
import type { MaintenanceDeps, SyncDeps } from '@billing/sync';
import type { WorkerConfig } from './config.ts';

export type BuiltDeps = {
  deps: MaintenanceDeps;
  stripePermissions: StripePermissions;
  /** Asks the queue's Redis for its settings. Rejects where it is unreachable. */
  inspectQueue: () => Promise<QueueRedisReport>;
  /** A connection of the queue's Redis that fails fast. */
  queueRedis: RedisClient;
  /** Disconnects everything, within 3 s even where neither Redis nor Postgres answers. */
  close: () => Promise<void>;
};

const connectionsOf = (config: WorkerConfig, metrics: Metrics): Omit<DatabaseOptions, 'url'> => ({
  poolSize: config.databasePoolSize,
  hasPreparedStatements: config.hasPreparedStatements,
  connectionSeconds: config.connectionSeconds,
  connectTimeoutMs: 5_000,
  statementTimeoutMs: 10_000,
  observe: (operation, seconds) => metrics.databaseQueryDuration.observe({ operation }, seconds),
});

const openStripe = (
  config: WorkerConfig,
  { metrics, permissions }: { metrics: Metrics; permissions: StripePermissions },
): SyncDeps['stripe'] =>
  createStripeClient({
    secretKey: config.stripeSecretKey,
    apiBase: config.stripeApiBase,
    timeoutMs: 8_000,
    permissions,
    observe: (operation, outcome, seconds) =>
      metrics.stripeRequestDuration.observe({ operation, outcome }, seconds),
  });

function openCache(
  config: WorkerConfig,
  deps: Pick<SyncDeps, 'database' | 'metrics' | 'clock' | 'logger'>,
): { cache: EntitlementCache; closeCache: () => Promise<void> } {
  const { cacheRedisUrl: url, cachePrefix: keyPrefix, cacheTtlSeconds: ttlSeconds } = config;
  const redis = connectRedis({ url, role: 'cache', logger: deps.logger, keyPrefix });
  const cache = createEntitlementCache({ ...deps, redis, ttlSeconds, service: 'worker' });
  const following = cache.follow();
  return { cache, closeCache: () => following.stop().then(() => redis.disconnect()) };
}

/** How usage is reported to meters of Stripe. */
const metersOf = (
  { meterDelaySeconds, meterEventsPerSecond: perSecond }: WorkerConfig,
  shared: Omit<Parameters<typeof createReadBudget>[0], 'perSecond' | 'name'>,
): MaintenanceDeps['meters'] => ({
  delayMs: meterDelaySeconds * 1000,
  budget: createReadBudget({ ...shared, perSecond, name: 'stripe-meter-events' }),
  pace: createPace(perSecond),
});

const tellingOf = (config: WorkerConfig): MaintenanceDeps['telling'] => ({
  derivation: config.usage,
  fanOutPerSecond: config.webhookFanOutPerSecond,
  boundariesPerSecond: config.webhookBoundariesPerSecond,
});

type BuildOptions = { logger: Logger; clock?: Clock | undefined; signal: AbortSignal };

/** What the worker's work needs, from its configuration. Nothing needs to be reachable yet. `signal`: the worker stops. */
export function buildDeps(
  config: WorkerConfig,
  { logger, clock = systemClock, signal }: BuildOptions,
): BuiltDeps {
  const metrics = createMetrics({ service: 'worker' });
  const stripePermissions = createStripePermissions(metrics);
  const connections = connectionsOf(config, metrics);
  const database = createDatabase({
    ...connections,
    url: config.databaseUrl,
    watchPool: createPoolGauges(metrics).watch,
  });
  const replicas = watchReplicas({
    primary: database,
    urls: config.replicaUrls,
    maxLagMs: config.replicaMaxLagMs,
    connections,
    clock: systemClock,
    logger,
    metrics,
  });
  createClockGauge(metrics, () => readClockSkewMs({ database, clock }));
  const queueRedis = connectRedis({ url: config.redisUrl, role: 'cache', logger });
  const outboxCleaner = createOutboxCleaner({ database, logger });
  // Fails fast, unlike the connection that consumes jobs.
  const connection = connectRedis({ url: config.redisUrl, role: 'producer', logger });
  const prefix = config.queuePrefix;
  const queue = { connection, prefix, logger };
  const stripeEvents = createQueue({ ...queue, name: queueNames.stripeEvents });
  const maintenance = createQueue({ ...queue, name: queueNames.maintenance });
  const usageEvents = createQueue({ ...queue, name: queueNames.usageEvents });
  const { cache, closeCache } = openCache(config, { database, metrics, clock, logger });
  const deps: MaintenanceDeps = {
    clock,
    logger,
    metrics,
    counters: createSyncMetrics(metrics),
    database,
    replicas,
    cache,
    usage: createUsage({ database, clock, settings: config.usage, cache, metrics, logger }),
    outboxCleaner,
    stripe: openStripe(config, { metrics, permissions: stripePermissions }),
    mode: stripeModeOf(config.stripeSecretKey),
    budget: createReadBudget({ redis: queueRedis, prefix, perSecond: config.stripeReadsPerSecond, clock }),
    subscriptionLookups: createSharedLookups(),
    erasureKeys: createErasureKeys(config.erasureKeys),
    eventRetryMs: config.eventRetryHours * hourMs,
    stripeEvents,
    maintenance,
    usageEvents,
    meters: metersOf(config, { redis: queueRedis, prefix, clock }),
    telling: tellingOf(config),
    workerId: randomUUID(),
    signal,
    sweepIntervalMs: config.eventSweepSeconds * 1000,
    reconcileCron: config.reconcileCron,
    eventRetentionMs: config.eventRetentionDays * dayMs,
    webhookRetentionMs: config.webhookRetentionDays * dayMs,
  };
  return {
    deps,
    stripePermissions,
    inspectQueue: () => inspectQueueRedis(queueRedis, prefix),
    queueRedis,
    close: async () => {
      await Promise.all([
        closeCache(),
        ...[stripeEvents, maintenance, usageEvents, replicas].map((one) => one.close()),
      ]);
      for (const one of [connection, queueRedis]) one.disconnect();
      await withDeadline(
        outboxCleaner.flush().then(() => database.$disconnect()),
        { ms: 2_000, onTimeout: () => new Error('Postgres did not close its connections in time.') },
      ).catch((error: unknown) => logger.debug('database_not_closed', { error }));
    },
  };
}
