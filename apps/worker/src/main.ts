import { createLogger, exitOnConfigError, runUntilSignal } from '@billing/platform';
import { readConfig } from './config.ts';
import { startWorker } from './create-worker.ts';

await exitOnConfigError(async () => {
  const config = readConfig(process.env);
  const logger = createLogger({
    service: 'worker',
    level: config.logLevel,
    format: config.environment === 'production' ? 'json' : 'pretty',
    secrets: [
      config.stripeSecretKey,
      config.metricsToken,
      config.databaseUrl,
      config.redisUrl,
      config.cacheRedisUrl,
    ],
  });
  const worker = await startWorker({
    config,
    logger,
    // Whatever supervises the process starts a new one.
    onStuck: () => {
      logger.error('watchdog_exit', { code: 1 });
      process.exit(1);
    },
  });
  runUntilSignal({ logger, stop: worker.stop });
});
