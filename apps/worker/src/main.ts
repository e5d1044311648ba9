import { createLogger, exitOnConfigError, runUntilSignal, startTracing } from '@billing/platform';
import { readConfig } from './config.ts';
import { startWorker } from './start-worker.ts';

await exitOnConfigError(async () => {
  const config = readConfig(process.env);
  const logger = createLogger({
    service: 'worker',
    level: config.logLevel,
    format: config.environment === 'production' ? 'json' : 'pretty',
    secrets: [
      config.stripeSecretKey,
      ...config.erasureKeys,
      ...config.webhooks.keys,
      config.webhooks.proxy,
      config.metricsToken,
      config.databaseUrl,
      config.redisUrl,
      config.cacheRedisUrl,
    ],
  });
  for (const { event, ...setting } of config.settingWarnings) logger.warn(event, setting);
  const tracing = await startTracing({ service: 'billing-worker', endpoint: config.tracesEndpoint });
  const starting = startWorker({
    config,
    logger,
    telemetry: tracing?.telemetry,
    warmUp: { rounds: 150, ms: 500 },
    // The supervisor starts a new process.
    onStuck: () => {
      logger.error('watchdog_exit', { code: 1 });
      process.exit(1);
    },
  });
  const stop = async (): Promise<void> => {
    const worker = await starting;
    await worker.stop();
    await tracing?.stop();
  };
  // Registered before the worker has started: a signal may arrive at any moment.
  runUntilSignal({ logger, stop });
  await starting;
});
