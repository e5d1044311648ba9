import cluster from 'node:cluster';
import { once } from 'node:events';
import { runUntilSignal } from '@billing/platform';
import type { Logger } from '@billing/platform';
import { createMetricsAnswerer } from './cluster-metrics.ts';

export type PrimaryOptions = { processes: number; logger: Logger };

const restartPauseMs = 500;

/**
 * Runs the API in several processes on one port. A dead one is replaced; if none ever listened (port in use),
 * the whole ends with exit code 1.
 */
export function runPrimary({ processes, logger }: PrimaryOptions): void {
  const answerMetrics = createMetricsAnswerer();
  let isStopping = false;
  let hasListened = false;

  cluster.on('listening', () => (hasListened = true));
  cluster.on('message', answerMetrics);
  cluster.on('exit', (worker, code, signal) => {
    if (isStopping) return;
    logger.error('process_died', { pid: worker.process.pid, exit_code: code, signal });
    if (!hasListened) process.exit(1);
    setTimeout(() => {
      if (!isStopping) cluster.fork();
    }, restartPauseMs);
  });
  for (let count = 0; count < processes; count += 1) cluster.fork();

  runUntilSignal({
    logger,
    stop: async () => {
      isStopping = true;
      for (const worker of Object.values(cluster.workers ?? {})) worker?.process.kill('SIGTERM');
      while (Object.keys(cluster.workers ?? {}).length > 0) await once(cluster, 'exit');
    },
  });
}
