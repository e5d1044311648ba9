import type { Clock } from '@billing/domain';
import { createOperationsServer, watchQueueRedis } from '@billing/platform';
import type { Logger, Tracing } from '@billing/platform';
import { createEventApplier } from '@billing/sync';
import type { SyncDeps } from '@billing/sync';
import { startBackground } from './background.ts';
import { buildDeps } from './build-deps.ts';
import type { WorkerConfig } from './config.ts';
import { createConsumer } from './consume/create-consumer.ts';
import { createEventProcessor } from './consume/process-event-job.ts';
import { createQueueWatch } from './operations/queue-watch.ts';
import { checkReadiness } from './operations/readiness.ts';
import { createWatchdog } from './operations/watchdog.ts';
import { createMaintenance } from './schedules/create-maintenance.ts';

export type RunningWorker = { port: number; deps: SyncDeps; stop: () => Promise<void> };

export type WorkerOptions = {
  config: WorkerConfig;
  logger: Logger;
  clock?: Clock;
  host?: string;
  telemetry?: Tracing['telemetry'] | undefined;
  /** Called when the worker makes no progress although everything it needs answers: end the process. */
  onStuck?: () => void;
  watchdog?: { mostWaitingMs?: number; mostIdleMs?: number; lookEveryMs?: number };
};

/** Events wait for each other to be written together: batches need more events than are processed individually. */
const eventsPerSlot = 8;

/** Starts the worker: it consumes the queues, rechecks unconfirmed objects and publishes what others left pending. */
export async function startWorker(options: WorkerOptions): Promise<RunningWorker> {
  const { config, logger, clock } = options;
  const { deps, inspectQueue, close } = buildDeps(config, { logger, clock });
  const { metrics } = deps;
  const queueWatch = createQueueWatch({
    redisUrl: config.redisUrl,
    prefix: config.queuePrefix,
    logger,
    metrics,
  });
  const maintenance = createMaintenance(deps, config);
  const watchdog = createWatchdog({
    database: deps.database,
    logger,
    oldestWaitingMs: maintenance.stripeEvents.headWaitingMs,
    ...options.watchdog,
  });
  const applier = createEventApplier(deps, { maxAlone: config.concurrency });
  const consumer = createConsumer({
    redisUrl: config.redisUrl,
    prefix: config.queuePrefix,
    concurrency: { 'stripe-events': config.concurrency * eventsPerSlot, maintenance: config.concurrency },
    logger,
    telemetry: options.telemetry,
    processors: {
      'stripe-events': watchdog.counted(createEventProcessor(deps, applier)),
      maintenance: maintenance.processor,
    },
  });
  let isStopping = false;
  const server = await createOperationsServer({
    port: config.port,
    ...(options.host === undefined ? {} : { host: options.host }),
    metrics,
    metricsToken: config.metricsToken,
    beforeScrape: queueWatch.refresh,
    ready: () =>
      checkReadiness({
        database: deps.database,
        isConsuming: consumer.isReady,
        mustNotEvict: config.environment === 'production',
        inspectQueue,
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
  const stopWatching = watchQueueRedis({ inspect: inspectQueue, logger });
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
