import { systemClock } from '@billing/domain';
import type { Clock } from '@billing/domain';
import {
  connectRedis,
  createMetrics,
  createOperationsServer,
  createStripeClient,
  inspectQueueRedis,
  stripeModeOf,
  watchQueueRedis,
  withDeadline,
} from '@billing/platform';
import type { Logger, Tracing } from '@billing/platform';
import { createDatabase, createEntitlementCache, createOutboxCleaner } from '@billing/store';
import { startBackground } from './background.ts';
import type { WorkerConfig } from './config.ts';
import { createConsumer } from './consume/create-consumer.ts';
import type { SyncDeps } from '@billing/sync';
import { createEventApplier } from '@billing/sync';
import { createEventProcessor } from './consume/process-event-job.ts';
import { createQueueWatch } from './operations/queue-watch.ts';
import { checkReadiness } from './operations/readiness.ts';
import { createSyncMetrics } from '@billing/sync';
import { createWatchdog } from './operations/watchdog.ts';
import { createMaintenance } from './schedules/create-maintenance.ts';
import { createReadBudget } from '@billing/sync';
import { createSharedLookups } from '@billing/sync';

export type RunningWorker = { port: number; deps: SyncDeps; stop: () => Promise<void> };

export type WorkerOptions = {
  config: WorkerConfig;
  logger: Logger;
  clock?: Clock;
  host?: string;
  telemetry?: Tracing['telemetry'] | undefined;
  /** The worker lives, everything that it needs answers, and it gets nothing done: end the process. */
  onStuck?: () => void;
  watchdog?: { mostWaitingMs?: number; mostIdleMs?: number; lookEveryMs?: number };
};

function buildDeps({ config, logger, clock = systemClock }: WorkerOptions) {
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
  const cache = createEntitlementCache({ redis, clock, logger, ttlSeconds: config.cacheTtlSeconds });
  const queueRedis = connectRedis({ url: config.redisUrl, role: 'cache', logger });
  const deps: SyncDeps = {
    clock,
    logger,
    metrics,
    counters: createSyncMetrics(metrics),
    database,
    cache,
    outboxCleaner: createOutboxCleaner({ database, logger }),
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
  const close = async (): Promise<void> => {
    redis.disconnect();
    queueRedis.disconnect();
    // A frozen Postgres must not hold up the end of the process.
    const letGo = deps.outboxCleaner.flush().then(() => database.$disconnect());
    await withDeadline(letGo, {
      ms: 2_000,
      onTimeout: () => new Error('Postgres did not let go in time.'),
    }).catch((error: unknown) => logger.debug('database_not_closed', { error }));
  };
  return { deps, queueRedis, close };
}

/** Events wait for each other to be written together: a batch needs more of them at hand than are worked on alone. */
const eventsPerSlot = 8;

/** Starts the worker: consumes the queues, settles what is in doubt, drains pending invalidations. */
export async function startWorker(options: WorkerOptions): Promise<RunningWorker> {
  const { config, logger } = options;
  const { deps, queueRedis, close } = buildDeps(options);
  const queueWatch = createQueueWatch({
    redisUrl: config.redisUrl,
    prefix: config.queuePrefix,
    logger,
    metrics: deps.metrics,
  });
  let isStopping = false;
  const maintenance = createMaintenance(deps, config);
  const watchdog = createWatchdog({
    database: deps.database,
    logger,
    oldestWaitingMs: maintenance.stripeEvents.headWaitingMs,
    ...options.watchdog,
  });
  const consumer = createConsumer({
    redisUrl: config.redisUrl,
    prefix: config.queuePrefix,
    concurrency: { 'stripe-events': config.concurrency * eventsPerSlot, maintenance: config.concurrency },
    logger,
    telemetry: options.telemetry,
    processors: {
      'stripe-events': watchdog.counted(
        createEventProcessor(deps, createEventApplier(deps, { maxAlone: config.concurrency })),
      ),
      maintenance: maintenance.processor,
    },
  });
  const queueProblem = async (): Promise<string | null> => {
    if (config.environment !== 'production') return null;
    const { evictionPolicy } = await inspectQueueRedis(queueRedis);
    return evictionPolicy === 'noeviction' ? null : `maxmemory-policy is ${evictionPolicy}, not noeviction`;
  };
  const server = await createOperationsServer({
    port: config.port,
    ...(options.host === undefined ? {} : { host: options.host }),
    metrics: deps.metrics,
    metricsToken: config.metricsToken,
    beforeScrape: queueWatch.refresh,
    ready: () =>
      checkReadiness({
        database: deps.database,
        isConsuming: consumer.isReady,
        queueProblem: () => queueProblem().catch(() => 'unreachable'),
        isStopping: () => isStopping,
      }),
  }).catch(async (error: unknown) => {
    await Promise.all([consumer.stop(), queueWatch.close(), maintenance.close()]);
    await close();
    throw error;
  });
  const stopBackground = startBackground(deps, {
    watchdog,
    onStuck: () => options.onStuck?.(),
    lookEveryMs: options.watchdog?.lookEveryMs,
  });
  const stopWatching = watchQueueRedis({
    inspect: () => inspectQueueRedis(queueRedis),
    logger,
  });
  logger.info('worker_started', { port: server.port, mode: deps.mode });
  return {
    port: server.port,
    deps,
    stop: async () => {
      isStopping = true;
      stopWatching();
      maintenance.abort();
      await Promise.all([consumer.stop(), stopBackground()]);
      await maintenance.close();
      await Promise.all([close(), queueWatch.close()]);
      await server.close();
    },
  };
}
