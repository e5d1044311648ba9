import { systemClock } from '@billing/domain';
import type { Clock } from '@billing/domain';
import {
  connectRedis,
  createMetrics,
  createStripeClient,
  inspectQueueRedis,
  stripeModeOf,
  withDeadline,
} from '@billing/platform';
import type { Logger, QueueRedisReport } from '@billing/platform';
import { createDatabase, createEntitlementCache, createOutboxCleaner } from '@billing/store';
import { createReadBudget, createSharedLookups, createSyncMetrics } from '@billing/sync';
import type { SyncDeps } from '@billing/sync';
import type { WorkerConfig } from './config.ts';

export type BuiltDeps = {
  deps: SyncDeps;
  /** Asks the queue's Redis for its settings. Rejects where it is unreachable. */
  inspectQueue: () => Promise<QueueRedisReport>;
  /** Disconnects everything, within 2 s even where Postgres does not answer. */
  close: () => Promise<void>;
};

/** What the worker's work needs, from its configuration. Nothing needs to be reachable yet. */
export function buildDeps(
  config: WorkerConfig,
  { logger, clock = systemClock }: { logger: Logger; clock?: Clock | undefined },
): BuiltDeps {
  const metrics = createMetrics({ service: 'worker' });
  const database = createDatabase({
    url: config.databaseUrl,
    poolSize: config.databasePoolSize,
    hasPreparedStatements: config.hasPreparedStatements,
    connectTimeoutMs: 5_000,
    statementTimeoutMs: 10_000,
    observe: (operation, seconds) => metrics.databaseQueryDuration.observe({ operation }, seconds),
  });
  const redis = connectRedis({ url: config.cacheRedisUrl, role: 'cache', logger });
  const queueRedis = connectRedis({ url: config.redisUrl, role: 'cache', logger });
  const outboxCleaner = createOutboxCleaner({ database, logger });
  const deps: SyncDeps = {
    clock,
    logger,
    metrics,
    counters: createSyncMetrics(metrics),
    database,
    cache: createEntitlementCache({ redis, clock, logger, ttlSeconds: config.cacheTtlSeconds }),
    outboxCleaner,
    stripe: createStripeClient({
      secretKey: config.stripeSecretKey,
      apiBase: config.stripeApiBase,
      timeoutMs: 8_000,
      observe: (operation, outcome, seconds) =>
        metrics.stripeRequestDuration.observe({ operation, outcome }, seconds),
    }),
    mode: stripeModeOf(config.stripeSecretKey),
    budget: createReadBudget({
      redis: queueRedis,
      prefix: config.queuePrefix,
      perSecond: config.stripeReadsPerSecond,
      clock,
    }),
    subscriptionLookups: createSharedLookups(),
    eventRetryMs: config.eventRetryHours * 3_600_000,
  };
  return {
    deps,
    inspectQueue: () => inspectQueueRedis(queueRedis),
    close: async () => {
      redis.disconnect();
      queueRedis.disconnect();
      await withDeadline(
        outboxCleaner.flush().then(() => database.$disconnect()),
        { ms: 2_000, onTimeout: () => new Error('Postgres did not close its connections in time.') },
      ).catch((error: unknown) => logger.debug('database_not_closed', { error }));
    },
  };
}
