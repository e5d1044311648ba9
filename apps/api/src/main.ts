import cluster from 'node:cluster';
import { once } from 'node:events';
import type { Server } from 'node:http';
import {
  exitOnConfigError,
  parseEnv,
  runUntilSignal,
  startTracing,
  watchQueueRedis,
} from '@billing/platform';
import type { Logger, Metrics } from '@billing/platform';
import { createApp } from './app.ts';
import { startDraining, warmUp } from './background.ts';
import { buildDeps, createProcessLogger } from './build-deps.ts';
import { createClusterRenderer } from './cluster/cluster-metrics.ts';
import { runPrimary } from './cluster/primary.ts';
import { environmentSchema } from './config.ts';
import type { Environment } from './config.ts';
import { closeGracefully, createApiServer } from './http/api-server.ts';

/** How long answers say `connection: close` before the door shuts. */
const announceMs = 300;

async function serve(environment: Environment): Promise<void> {
  const { worker } = cluster;
  const tracing = await startTracing({
    service: 'billing-api',
    endpoint: environment.OTEL_EXPORTER_OTLP_ENDPOINT,
  });
  const { deps, beginStop, close } = buildDeps(environment, {
    telemetry: tracing?.telemetry,
    ...(worker === undefined
      ? {}
      : { metricsRenderer: (metrics: Metrics) => createClusterRenderer(metrics, worker) }),
  });
  const { logger } = deps;
  const server = createApiServer(createApp(deps), deps.config.corsOrigins);
  tracing?.traceRequests(server);
  const stopDraining = startDraining(deps);
  const stopInspecting = watchQueueRedis({ inspect: deps.inspectQueueRedis, logger });
  const listening = warmUp(deps).then(() => listen(server, { port: environment.PORT, logger }));
  // Before it listens: a signal may come in any moment.
  runUntilSignal({
    logger,
    stop: async () => {
      beginStop();
      await listening;
      await closeGracefully(server, announceMs);
      stopDraining();
      stopInspecting();
      await close();
      await tracing?.stop();
    },
  });
  await listening;
}

async function listen(server: Server, { port, logger }: { port: number; logger: Logger }): Promise<void> {
  server.listen(port);
  try {
    await once(server, 'listening');
  } catch (error) {
    logger.error('port_not_available', { port, error });
    process.exit(1);
  }
  logger.info('listening', { port, pid: process.pid });
}

await exitOnConfigError(async () => {
  const environment = parseEnv(environmentSchema, process.env);
  if (cluster.isPrimary && environment.API_PROCESSES > 1)
    runPrimary({ processes: environment.API_PROCESSES, logger: createProcessLogger(environment) });
  else await serve(environment);
});
