import { randomUUID } from 'node:crypto';
import type { Worker } from 'node:cluster';
import { withDeadline } from '@billing/platform';
import type { Metrics } from '@billing/platform';
import { AggregatorRegistry } from 'prom-client';
import { z } from 'zod';

/** A worker asks the primary, which alone can ask all workers; this is how the two speak. */
const question = z.object({ ask: z.literal('cluster-metrics'), id: z.string() });
const reply = z.object({ reply: z.literal('cluster-metrics'), id: z.string(), text: z.string() });

const deadlineMs = 6_000;

/** In a worker: renders all processes' metrics added up; its own alone where the primary does not answer. */
export function createClusterRenderer(metrics: Metrics, worker: Worker): () => Promise<string> {
  AggregatorRegistry.setRegistries(metrics.registry);
  // Its constructor makes this worker answer the primary's questions.
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
      ms: deadlineMs,
      onTimeout: () => new Error('the primary did not answer'),
    })
      .catch(() => metrics.registry.metrics())
      .finally(() => waiting.delete(id));
  };
}

/** In the primary: answers the workers' questions. */
export function createMetricsAnswerer(): (worker: Worker, message: unknown) => void {
  const aggregator = new AggregatorRegistry();
  return (worker, message) => {
    const parsed = question.safeParse(message);
    if (!parsed.success) return;
    aggregator
      .clusterMetrics()
      .then(
        (text) => worker.isConnected() && worker.send({ reply: 'cluster-metrics', id: parsed.data.id, text }),
      )
      // A worker that died meanwhile: the one who asked falls back to its own numbers.
      .catch(() => undefined);
  };
}
