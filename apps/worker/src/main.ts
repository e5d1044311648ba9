import { createLogger, exitOnConfigError, runUntilSignal } from '@billing/platform';
import { readConfig } from './config.ts';
import { startWorker } from './create-worker.ts';

await exitOnConfigError(async () => {
  const config = readConfig(process.env);
  const logger = createLogger({
    service: 'worker',
    level: config.logLevel,
    format: config.environment === 'production' ? 'json' : 'pretty',
  });
  const worker = await startWorker({ config, logger });
  runUntilSignal({ logger, stop: worker.stop });
});
