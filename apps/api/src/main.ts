import cluster from 'node:cluster';
import { once } from 'node:events';
import type { Server } from 'node:http';
import { exitOnConfigError, runUntilSignal, startTracing, watchQueueRedis } from '@billing/platform';
import type { Logger, Metrics } from '@billing/platform';
import { createApp } from './app.ts';
import { startPublishing, startReaching, warmUp } from './background.ts';
import { buildDeps, createProcessLogger } from './build-deps.ts';
import { readConfig } from './config.ts';
import type { ApiConfig } from './config.ts';
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
  const server = createApiServer(createApp(deps), config.corsOrigins);
  tracing?.traceRequests(server);
  for (const { event, ...setting } of config.settingWarnings) logger.warn(event, setting);
  const loops = [startPublishing(deps), startReaching(deps)];
  const stopInspecting = watchQueueRedis({ inspect: deps.inspectQueueRedis, logger });
  const listening = warmUp(deps).then(() => listen(server, { port: config.port, logger }));
  // Before it listens: a signal may come in any moment.
  runUntilSignal({
    logger,
    stop: async () => {
      beginStop();
      await listening;
      await closeGracefully(server, announceMs);
      await Promise.all(loops.map((loop) => loop.stop()));
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
  const config = readConfig(process.env);
  if (cluster.isPrimary && config.processes > 1)
    runPrimary({ processes: config.processes, logger: createProcessLogger(config) });
  else await serve(config);
});
