import type { Clock } from '@billing/domain';
import {
  createAuthFailures,
  createOperationsServer,
  createQueueGauges,
  watchQueueRedis,
  withDeadline,
} from '@billing/platform';
import type { Logger, OperationsServer, Tracing, WarmUpLimits } from '@billing/platform';
import { createEventApplier, warmEvents } from '@billing/sync';
import type { MaintenanceDeps } from '@billing/sync';
import { startBackground } from './background.ts';
import { buildDeps } from './build-deps.ts';
import type { BuiltDeps } from './build-deps.ts';
import type { WorkerConfig } from './config.ts';
import { createConsumer } from './consume/create-consumer.ts';
import type { Consumer } from './consume/create-consumer.ts';
import { createEventProcessor } from './consume/process-event-job.ts';
import { lacksErasureKey } from './consume/watch-erasure-keys.ts';
import { createMaintenanceProcessor } from './consume/process-maintenance-job.ts';
import { createUsageProcessor } from './consume/process-usage-job.ts';
import { createWorkerReadiness } from './operations/readiness.ts';
import { createWatchdog } from './operations/watchdog.ts';
import { buildSender } from './webhooks/build-sender.ts';
import type { SenderDeps } from './webhooks/start-sender.ts';

export type RunningWorker = { port: number; deps: MaintenanceDeps; stop: () => Promise<void> };

export type WorkerOptions = {
  config: WorkerConfig;
  logger: Logger;
  clock?: Clock;
  host?: string;
  telemetry?: Tracing['telemetry'] | undefined;
  /** Called when the worker makes no progress although everything it needs answers: end the process. */
  onStuck?: () => void;
  /** How often the way of an event is run before the first one is taken. Absent: not at all. */
  warmUp?: WarmUpLimits;
  watchdog?: { mostWaitingMs?: number; mostIdleMs?: number; lookEveryMs?: number };
  /** What the pauses of the background loops are multiplied by; default 1. Tests have no time. */
  pace?: number;
};

/** Events wait for each other to be written together: batches need more events than are processed individually. */
const eventsPerSlot = 8;

const warmUpMs = 2_000;

/** Where Postgres is away the worker starts all the same. */
const warm = (deps: MaintenanceDeps, limits: WarmUpLimits): Promise<void> =>
  withDeadline(warmEvents(deps, limits), {
    ms: warmUpMs,
    onTimeout: () => new Error('Postgres did not answer in time'),
  }).catch((error: unknown) => deps.logger.debug('not_warmed_up', { error }));

/** Starts the worker: it consumes the queues, rechecks unconfirmed objects and publishes what others left pending. */
export async function startWorker(options: WorkerOptions): Promise<RunningWorker> {
  const { config, logger, clock } = options;
  const stopping = new AbortController();
  const built = buildDeps(config, { logger, clock, signal: stopping.signal });
  const { deps, inspectQueue, close } = built;
  const webhooks = buildSender(config, deps);
  const watchdog = createWatchdog({
    database: deps.database,
    logger,
    oldestWaitingMs: deps.stripeEvents.headWaitingMs,
    ...options.watchdog,
  });
  if (options.warmUp !== undefined) await warm(deps, options.warmUp);
  const applier = createEventApplier(deps, { maxAlone: config.concurrency });
  const consumer = createConsumer({
    redisUrl: config.redisUrl,
    prefix: config.queuePrefix,
    concurrency: {
      'stripe-events': config.concurrency * eventsPerSlot,
      maintenance: config.concurrency,
      'usage-events': config.concurrency * eventsPerSlot,
    },
    logger,
    isHeld: await lacksErasureKey(deps),
    telemetry: options.telemetry,
    processors: {
      'stripe-events': watchdog.counted(createEventProcessor(deps, applier)),
      maintenance: createMaintenanceProcessor(deps),
      'usage-events': createUsageProcessor(deps),
    },
  });
  const server = await serveOperations({ ...built, consumer, webhooks }, options).catch(
    async (error: unknown) => {
      await consumer.stop();
      await close();
      throw error;
    },
  );
  const stopBackground = startBackground(deps, {
    watchdog,
    consumer,
    webhooks,
    inspectQueue,
    onStuck: () => options.onStuck?.(),
    lookEveryMs: options.watchdog?.lookEveryMs,
    pace: options.pace,
  });
  const stopWatching = watchQueueRedis({ inspect: inspectQueue, logger });
  logger.info('worker_started', { port: server.port, mode: deps.mode });
  return {
    port: server.port,
    deps,
    stop: async () => {
      // Maintenance jobs end at their next step, so that the consumer can stop.
      stopping.abort();
      stopWatching();
      await Promise.all([consumer.stop(), stopBackground()]);
      webhooks.client.close();
      await close();
      await server.close();
    },
  };
}

type Served = BuiltDeps & { consumer: Consumer; webhooks: SenderDeps };

/** Health, readiness and metrics over HTTP. */
function serveOperations(
  { deps, inspectQueue, queueRedis, stripePermissions, consumer, webhooks }: Served,
  { config, logger, host }: WorkerOptions,
): Promise<OperationsServer> {
  const { database, metrics, stripeEvents, maintenance, usageEvents, signal } = deps;
  const queues = [stripeEvents, maintenance, usageEvents];
  const gauges = createQueueGauges({ metrics, queues, inspectQueueRedis: inspectQueue });
  const readiness = createWorkerReadiness({
    database,
    queueRedis,
    queuePrefix: config.queuePrefix,
    cache: deps.cache,
    isConsuming: consumer.isReady,
    mustNotEvict: config.environment === 'production',
    isStopping: () => signal.aborted,
    stripePermissions,
    erasureKeys: deps.erasureKeys,
    webhookSecrets: webhooks.secrets,
  });
  return createOperationsServer({
    port: config.port,
    ...(host === undefined ? {} : { host }),
    metrics,
    metricsToken: config.metricsToken,
    authFailures: createAuthFailures({
      perMinute: config.authFailuresPerMinute,
      metrics,
      logger,
      areas: ['metrics'],
    }),
    beforeScrape: () => gauges.refresh(),
    ready: readiness.ask,
  });
}
