import { queueNames, systemClock } from '@billing/domain';
import type { Clock } from '@billing/domain';
import {
  createAuthFailures,
  createMetrics,
  createQueue,
  createQueueGauges,
  createRateLimiter,
  createWebhookClient,
  createWebhookSecrets,
  inspectQueueRedis as inspect,
} from '@billing/platform';
import type { Logger, Metrics, Tracing } from '@billing/platform';
import { countSessions, createErasureKeys, createKeyDirectory, createUsage } from '@billing/store';
import pLimit from 'p-limit';
import { createOpenRedirectWarning } from './checkout/check-redirects.ts';
import type { ApiConfig } from './config.ts';
import { createConsoleMetrics } from './console/console-metrics.ts';
import { createClients } from './create-clients.ts';
import type { Basics } from './create-clients.ts';
import { createProcessLogger } from './create-process-logger.ts';
import type { AppDeps } from './deps.ts';
import { createAdmission } from './entitlements/admit-misses.ts';
import { createAnswerSource } from './entitlements/answer-source.ts';
import { createProxyWarning } from './http/warn-of-proxy.ts';
import { createUsageChecks } from './usage/check-usage.ts';
import { createUsageTaker } from './usage/take-usage.ts';
import { createApiReadiness } from './operations/readiness.ts';
import { createLookups } from './subscriptions/create-lookups.ts';

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

/** The share of the connections to Postgres that checkouts may use: the others are for the readers. */
const checkoutShareOfPool = 0.4;

/** Each is written to the log once, however often its cause is met. */
const createWarnings = (
  logger: Logger,
  config: ApiConfig,
): Pick<AppDeps, 'warnOfOpenRedirects' | 'warnOfProxy'> => ({
  warnOfOpenRedirects: createOpenRedirectWarning(logger, config),
  warnOfProxy: createProxyWarning(logger, config),
});

/** Who is refused, and how the console is used by who is not. */
function watchSignIns(
  { adminKeys, authFailuresPerMinute: perMinute }: ApiConfig,
  { clock, logger, metrics, database }: Basics & Pick<AppDeps, 'database'>,
): Pick<AppDeps, 'authFailures' | 'consoleMetrics'> {
  const names = adminKeys.map(({ name }) => name);
  return {
    authFailures: createAuthFailures({ perMinute, metrics, logger }),
    consoleMetrics: createConsoleMetrics(metrics, () => countSessions(database, { names, now: clock() })),
  };
}

/** Builds everything the app needs. Nothing here waits: what is not there yet is connected to when it comes. */
export function buildDeps(config: ApiConfig, options: BuildOptions = {}): BuiltDeps {
  const { clock = systemClock, logger = createProcessLogger(config), telemetry } = options;
  const metrics = createMetrics({ service: 'api', withProcessMetrics: options.withProcessMetrics ?? true });
  const clients = createClients(config, { clock, logger, metrics });
  const { database, replicas, cacheRedis, queueRedis, cache, stripe, stripePermissions } = clients;
  const queue = { connection: queueRedis, prefix: config.queuePrefix, logger, telemetry };
  const stripeEvents = createQueue({ ...queue, name: queueNames.stripeEvents });
  const maintenance = createQueue({ ...queue, name: queueNames.maintenance });
  const usageEvents = createQueue({ ...queue, name: queueNames.usageEvents });
  const usage = createUsage({ database, clock, settings: config.usage, cache, metrics, logger });
  const inspectQueueRedis = () => inspect(queueRedis, config.queuePrefix);
  const admission = createAdmission({ perSecond: config.warmupMissesPerSecond, cache, metrics });
  const keys = createKeyDirectory({ database, redis: cacheRedis, clock, logger });
  const following = [keys.follow(), cache.follow(), usage.follow()];
  const erasureKeys = createErasureKeys(config.erasureKeys);
  const webhookSecrets = createWebhookSecrets(config.webhooks.keys);
  const webhookClient = createWebhookClient(config.webhooks);
  let isStopping = false;
  return {
    deps: {
      config,
      clock,
      logger,
      metrics,
      database,
      replicas,
      cache,
      outboxCleaner: clients.outboxCleaner,
      admission,
      answers: createAnswerSource({ cache, database, clock, config, admission, metrics }),
      usage,
      takeUsage: createUsageTaker(usage),
      checkUsage: createUsageChecks({ cache, database, clock, config, admission, usage }),
      keys,
      ...watchSignIns(config, { clock, logger, metrics, database }),
      rateLimiter: createRateLimiter({ redis: cacheRedis, prefix: 'rate:' }),
      stripe,
      ...createLookups(config, { redis: queueRedis, clock, metrics }),
      stripePermissions,
      erasureKeys,
      webhookSecrets,
      webhookClient,
      checkoutLimit: pLimit(Math.max(1, Math.floor(config.databasePoolSize * checkoutShareOfPool))),
      customersInFlight: new Map(),
      pagesInFlight: new Map(),
      ...createWarnings(logger, config),
      stripeEvents,
      maintenance,
      usageEvents,
      queueGauges: createQueueGauges({
        metrics,
        queues: [stripeEvents, maintenance, usageEvents],
        inspectQueueRedis,
      }),
      inspectQueueRedis,
      renderMetrics: options.metricsRenderer?.(metrics) ?? (() => metrics.registry.metrics()),
      readiness: createApiReadiness({
        database,
        cache,
        config,
        queueRedis,
        stripePermissions,
        erasureKeys,
        webhookSecrets,
        isStopping: () => isStopping,
      }),
      isStopping: () => isStopping,
    },
    beginStop: () => (isStopping = true),
    async close(): Promise<void> {
      await Promise.all(following.map((loop) => loop.stop()));
      webhookClient.close();
      await Promise.allSettled([stripeEvents, maintenance, usageEvents].map((one) => one.close()));
      queueRedis.disconnect();
      cacheRedis.disconnect();
      await replicas.close();
      await clients.outboxCleaner.flush().then(() => database.$disconnect());
    },
  };
}
