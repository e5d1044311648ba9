import cluster from 'node:cluster';
import type { Worker } from 'node:cluster';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { runUntilSignal, withDeadline } from '@billing/platform';
import type { Logger, Metrics } from '@billing/platform';
import { AggregatorRegistry } from 'prom-client';
import { z } from 'zod';

const restartPauseMs = 500;

/**
 * Runs the API in several processes on one port. A dead one is replaced; if none ever listened (port in use), the
 * primary ends with exit code 1.
 */
export function runPrimary({ processes, logger }: { processes: number; logger: Logger }): void {
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
    stop: async (reason) => {
      isStopping = true;
      const signal = reason === 'SIGTERM' ? 'SIGTERM' : 'SIGINT';
      for (const worker of Object.values(cluster.workers ?? {})) worker?.process.kill(signal);
      while (Object.keys(cluster.workers ?? {}).length > 0) await once(cluster, 'exit');
    },
  });
}

/** A process asks the primary, which alone can ask all processes. These are their messages. */
const question = z.object({ ask: z.literal('cluster-metrics'), id: z.string() });
const reply = z.object({ reply: z.literal('cluster-metrics'), id: z.string(), text: z.string() });

const metricsDeadlineMs = 6_000;

/** In a process of the cluster: renders the sum of all processes' metrics; its own where the primary does not answer. */
export function createClusterRenderer(metrics: Metrics, worker: Worker): () => Promise<string> {
  AggregatorRegistry.setRegistries(metrics.registry);
  // Its constructor makes this process answer the primary's questions.
  void new AggregatorRegistry();
  const waiting = new Map<string, (text: string) => void>();
  process.on('message', (message) => {
    const parsed = reply.safeParse(message);
    if (parsed.success) waiting.get(parsed.data.id)?.(parsed.data.text);
  });
  return () => {
    const id = randomUUID();
    const answered = new Promise<string>((resolve) => waiting.set(id, resolve));
    worker.send({ ask: 'cluster-metrics', id });
    return withDeadline(answered, {
      ms: metricsDeadlineMs,
      onTimeout: () => new Error('the primary did not answer'),
    })
      .catch(() => metrics.registry.metrics())
      .finally(() => waiting.delete(id));
  };
}

function createMetricsAnswerer(): (worker: Worker, message: unknown) => void {
  const aggregator = new AggregatorRegistry();
  return (worker, message) => {
    const parsed = question.safeParse(message);
    if (!parsed.success) return;
    aggregator
      .clusterMetrics()
      .then(
        (text) => worker.isConnected() && worker.send({ reply: 'cluster-metrics', id: parsed.data.id, text }),
      )
      // A process died meanwhile: the one that asked falls back to its own numbers.
      .catch(() => undefined);
  };
}
