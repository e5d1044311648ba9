import cluster from 'node:cluster';
import { once } from 'node:events';
import type { Server } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  exitOnConfigError,
  limitLines,
  runUntilSignal,
  startTracing,
  watchQueueRedis,
} from '@billing/platform';
import type { Logger, Metrics, RequestMeter } from '@billing/platform';
import { createApp, createMeter, createOperationsApp } from './app.ts';
import { prepareProcess, startPublishing, startReaching } from './background.ts';
import { buildDeps } from './build-deps.ts';
import { createProcessLogger } from './create-process-logger.ts';
import { readConfig } from './config.ts';
import type { ApiConfig } from './config.ts';
import type { AppDeps } from './deps.ts';
import { closeGracefully, createApiServer } from './http/api-server.ts';
import { createClusterRenderer, runPrimary } from './run-cluster.ts';

/** How long answers say `connection: close` before the server stops listening. */
const announceMs = 300;

async function serve(config: ApiConfig): Promise<void> {
  const { worker } = cluster;
  const tracing = await startTracing({ service: 'billing-api', endpoint: config.tracesEndpoint });
  const { deps, beginStop, close } = buildDeps(config, {
    telemetry: tracing?.telemetry,
    ...(worker === undefined
      ? {}
      : { metricsRenderer: (metrics: Metrics) => createClusterRenderer(metrics, worker) }),
  });
  const { logger } = deps;
  const meter = createMeter(deps);
  const { app, listener } = createApp(deps, meter);
  const server = createApiServer(app, config.corsOrigins, listener);
  const drops = limitLines(1, (count) => logger.warn('connections_dropped', { count }));
  server.on('drop', () => drops.admits() && logger.warn('connections_dropped', { count: 1 }));
  const operations = createOperationsServer(deps, meter);
  tracing?.traceRequests(server);
  for (const { event, ...setting } of config.settingWarnings) logger.warn(event, setting);
  const loops = [startPublishing(deps), startReaching(deps)];
  const stopInspecting = watchQueueRedis({ inspect: deps.inspectQueueRedis, logger });
  const listening = prepareProcess(deps)
    .then(() => operations?.listen())
    .then(() => listen(server, { port: config.port, logger }));
  // Before it listens: a signal may come in any moment.
  runUntilSignal({
    logger,
    stop: async (reason) => {
      beginStop();
      await listening;
      // `/ready` is 503 by now; a load balancer sends requests until its next probes have seen that.
      if (reason === 'SIGTERM') await sleep(config.shutdownDelayMs);
      await closeGracefully(server, announceMs);
      // The last to go: until then it tells how the process is.
      await operations?.close();
      await Promise.all(loops.map((loop) => loop.stop()));
      stopInspecting();
      await close();
      await tracing?.stop();
    },
  });
  await listening;
}

/** The second port, if there is to be one. */
function createOperationsServer(deps: AppDeps, meter: RequestMeter) {
  const { config, logger } = deps;
  const port = config.operationsPort;
  if (port === undefined) return undefined;
  const server = createApiServer(createOperationsApp(deps, meter));
  return {
    listen: () => listen(server, { port, logger }),
    close: () => closeGracefully(server, 0),
  };
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
  const config = readConfig(process.env);
  if (cluster.isPrimary && config.processes > 1)
    runPrimary({ processes: config.processes, logger: createProcessLogger(config) });
  else await serve(config);
});
