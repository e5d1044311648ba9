import { queueNames, systemClock } from '@billing/domain';
import type { Clock } from '@billing/domain';
import {
  connectRedis,
  createLogger,
  createMetrics,
  createQueue,
  createRateLimiter,
  createStripeClient,
  inspectQueueRedis,
} from '@billing/platform';
import type { Logger, Metrics, Tracing } from '@billing/platform';
import { createDatabase, createEntitlementCache, createKeyDirectory, publishPending } from '@billing/store';
import type { Environment } from './config.ts';
import { toApiConfig } from './config.ts';
import type { AppDeps } from './deps.ts';
import { createFailureThrottle } from './http/failure-throttle.ts';

export type BuiltDeps = { deps: AppDeps; beginStop: () => void; close: () => Promise<void> };

export type BuildOptions = {
  clock?: Clock;
  logger?: Logger;
  /** How `/metrics` is rendered; default: this process's registry alone. */
  metricsRenderer?: (metrics: Metrics) => () => Promise<string>;
  /** Default true; false saves the work in tests. */
  withProcessMetrics?: boolean;
  /** Of `startTracing`. */
  telemetry?: Tracing['telemetry'] | undefined;
};

const connectTimeoutMs = 2_000;
/** Longer than any read needs; checks have a shorter deadline of their own. */
const statementTimeoutMs = 5_000;

function createClients(environment: Environment, { logger, metrics }: { logger: Logger; metrics: Metrics }) {
  const database = createDatabase({
    url: environment.DATABASE_URL,
    poolSize: environment.DATABASE_POOL_SIZE,
    hasPreparedStatements: environment.DATABASE_PREPARED_STATEMENTS === 'on',
    connectTimeoutMs,
    statementTimeoutMs,
    observe: (operation, seconds) => metrics.databaseQueryDuration.observe({ operation }, seconds),
  });
  const cacheUrl = environment.CACHE_REDIS_URL ?? environment.REDIS_URL;
  const cacheRedis = connectRedis({ url: cacheUrl, role: 'cache', logger });
  const queueRedis = connectRedis({ url: environment.REDIS_URL, role: 'producer', logger });
  const stripe = createStripeClient({
    secretKey: environment.STRIPE_SECRET_KEY,
    apiBase: environment.STRIPE_API_BASE,
    observe: (operation, outcome, seconds) =>
      metrics.stripeRequestDuration.observe({ operation, outcome }, seconds),
  });
  return { database, cacheRedis, queueRedis, stripe };
}

export function createProcessLogger(environment: Environment): Logger {
  return createLogger({
    service: 'api',
    level: environment.LOG_LEVEL,
    format: environment.NODE_ENV === 'production' ? 'json' : 'pretty',
    secrets: [
      environment.STRIPE_SECRET_KEY,
      ...environment.STRIPE_WEBHOOK_SECRET,
      ...environment.ADMIN_API_KEY.map(({ secret }) => secret),
      environment.METRICS_TOKEN,
      environment.DATABASE_URL,
      environment.REDIS_URL,
      environment.CACHE_REDIS_URL,
    ],
  });
}

/** Builds everything the app needs. Nothing here waits: what is not there yet is connected to when it comes. */
export function buildDeps(environment: Environment, options: BuildOptions = {}): BuiltDeps {
  const clock = options.clock ?? systemClock;
  const logger = options.logger ?? createProcessLogger(environment);
  const metrics = createMetrics({ service: 'api', withProcessMetrics: options.withProcessMetrics ?? true });
  const { database, cacheRedis, queueRedis, stripe } = createClients(environment, { logger, metrics });
  const cache = createEntitlementCache({
    redis: cacheRedis,
    clock,
    logger,
    ttlSeconds: environment.ENTITLEMENT_CACHE_TTL_SECONDS,
    catchUp: async () => void (await publishPending({ database, cache }, { olderThanMs: 0 })),
  });
  const { telemetry } = options;
  const queue = { connection: queueRedis, prefix: environment.QUEUE_PREFIX, logger, telemetry };
  const stripeEvents = createQueue({ ...queue, name: queueNames.stripeEvents });
  const maintenance = createQueue({ ...queue, name: queueNames.maintenance });
  let stopping = false;
  return {
    deps: {
      config: toApiConfig(environment),
      clock,
      logger,
      metrics,
      database,
      cache,
      keys: createKeyDirectory({ database, redis: cacheRedis, clock, logger }),
      authFailures: createFailureThrottle(environment.AUTH_FAILURES_PER_MINUTE),
      rateLimiter:
        environment.RATE_LIMIT_PER_SECOND === 0
          ? null
          : createRateLimiter({
              redis: cacheRedis,
              perSecond: environment.RATE_LIMIT_PER_SECOND,
              prefix: 'rate:',
            }),
      stripe,
      stripeEvents,
      maintenance,
      inspectQueueRedis: () => inspectQueueRedis(queueRedis),
      renderMetrics: options.metricsRenderer?.(metrics) ?? (() => metrics.registry.metrics()),
      isStopping: () => stopping,
    },
    beginStop: () => (stopping = true),
    async close(): Promise<void> {
      await Promise.allSettled([stripeEvents.close(), maintenance.close()]);
      queueRedis.disconnect();
      cacheRedis.disconnect();
      await database.$disconnect();
    },
  };
}
