import { createCacheMetrics } from './cache-metrics.ts';
import type { CacheMetrics } from './cache-metrics.ts';
import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';
import { createExemplars } from './open-metrics.ts';
import type { Exemplars } from './open-metrics.ts';

/** Seconds: 1 ms to 10 s. */
const latencyBuckets = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];
/** Accepted → applied spans outages too, and an outage must not vanish in the last bucket; 2 s is what is promised. */
const processingBuckets = [
  0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2, 2.5, 5, 10, 30, 60, 300, 900, 3_600,
];

export type MetricsOptions = {
  readonly service: string;
  /** prom-client's process metrics (CPU, memory, event loop); default true. */
  readonly withProcessMetrics?: boolean;
};

/** Where credentials are asked for, and why they are refused there: the labels of `auth_failures_total`. */
export const authAreas = {
  admin: ['missing', 'wrong', 'throttled'],
  project: ['missing', 'wrong', 'expired', 'address', 'throttled'],
  queues: ['missing', 'wrong', 'throttled'],
  console: ['missing', 'wrong', 'throttled'],
  metrics: ['missing', 'wrong', 'throttled'],
  webhooks: ['header', 'timestamp', 'mismatch'],
} as const;
export type AuthArea = keyof typeof authAreas;
export type AuthFailureReason = (typeof authAreas)[AuthArea][number];

type MeasuredValue = number | undefined | Promise<number | undefined>;

export type Metrics = CacheMetrics & {
  registry: Registry;
  /** Makes a further counter in the same registry. */
  counter: <L extends string = never>(name: string, help: string, labelNames?: readonly L[]) => Counter<L>;
  /** Makes a further gauge in the same registry. */
  gauge: <L extends string = never>(name: string, help: string, labelNames?: readonly L[]) => Gauge<L>;
  /** Makes a gauge of a value that all processes share: where processes are added up, the highest counts. */
  sharedGauge: <L extends string = never>(name: string, help: string, labelNames?: readonly L[]) => Gauge<L>;
  /** Makes a gauge that is read at each scrape; undefined: it has no value. Where processes are added up: the sum, of seconds the mean. */
  measured: (name: string, help: string, read: () => MeasuredValue) => Gauge;
  /** The same of a value that all processes share: where they are added up, the highest counts. */
  sharedMeasured: (name: string, help: string, read: () => MeasuredValue) => Gauge;
  httpRequestDuration: Histogram<'method' | 'route' | 'status_code'>;
  httpRequests: Counter<'method' | 'route' | 'status_code'>;
  databaseQueryDuration: Histogram<'operation'>;
  webhookEventsReceived: Counter<'type' | 'outcome'>;
  webhookEventsProcessed: Counter<'type' | 'outcome'>;
  webhookProcessing: Histogram;
  webhookSignatureFailures: Counter<'reason'>;
  authFailures: Counter<'area' | 'reason'>;
  queueJobs: Gauge<'queue' | 'state'>;
  queueRedisInfo: Gauge<'eviction_policy' | 'persistent'>;
  queueOldestWaiting: Gauge<'queue'>;
  stripeRequestDuration: Histogram<'operation' | 'outcome'>;
  reconcileDrift: Counter<'kind'>;
  defaultCodesLeftOut: Counter<'reason'>;
  /** Traces of what two of the histograms observed. */
  exemplars: Exemplars<TracedHistogram>;
  usageEvents: Counter<'mode' | 'outcome'>;
  usageBatchSize: Histogram;
  usageCommit: Histogram;
  usageReservations: Gauge<'state'>;
  usageUncovered: Counter;
};

type TracedHistogram = 'http_request_duration_seconds' | 'webhook_processing_seconds';

type Makers = Pick<Metrics, 'counter' | 'gauge' | 'sharedGauge' | 'measured' | 'sharedMeasured'> & {
  /** In seconds, unless it has other buckets. */
  histogram: <L extends string>(
    name: string,
    help: string,
    labelNames: readonly L[],
    buckets?: number[],
  ) => Histogram<L>;
};

/** What makes metrics in this registry. */
function createMakers(registry: Registry): Makers {
  const registers = [registry];
  const counter: Metrics['counter'] = (name, help, labelNames = []) =>
    new Counter({ name, help, labelNames: [...labelNames], registers });
  const gauge: Metrics['gauge'] = (name, help, labelNames = []) =>
    new Gauge({ name, help, labelNames: [...labelNames], registers });
  const sharedGauge: Metrics['sharedGauge'] = (name, help, labelNames = []) =>
    new Gauge({ name, help, labelNames: [...labelNames], registers, aggregator: 'max' });
  const measuredBy =
    (aggregatorOf: (name: string) => 'average' | 'sum' | 'max'): Metrics['measured'] =>
    (name, help, read) =>
      new Gauge({
        name,
        help,
        registers,
        aggregator: aggregatorOf(name),
        async collect() {
          const value = await read();
          if (value === undefined) this.remove();
          else this.set(value);
        },
      });
  const measured = measuredBy((name) => (name.endsWith('_seconds') ? 'average' : 'sum'));
  const sharedMeasured = measuredBy(() => 'max');
  const histogram: Makers['histogram'] = (name, help, labelNames, buckets = latencyBuckets) =>
    new Histogram({ name, help, labelNames: [...labelNames], buckets, registers });
  return { counter, gauge, measured, sharedMeasured, sharedGauge, histogram };
}

/**
 * Creates the service's metrics in a registry of their own: two apps in one test process must not share
 * prom-client's global one. Label values must be bounded: patterns and types, never ids or raw URLs.
 */
export function createMetrics({ service, withProcessMetrics = true }: MetricsOptions): Metrics {
  const registry = new Registry();
  const { counter, gauge, measured, sharedMeasured, sharedGauge, histogram } = createMakers(registry);
  if (withProcessMetrics) collectProcessMetrics(registry);
  gauge('service_info', 'Always 1; the label says which process this is', ['service']).set({ service }, 1);
  const http = ['method', 'route', 'status_code'] as const;
  const event = ['type', 'outcome'] as const;
  return {
    registry,
    exemplars: createExemplars({
      http_request_duration_seconds: latencyBuckets,
      webhook_processing_seconds: processingBuckets,
    }),
    counter,
    gauge,
    sharedGauge,
    measured,
    sharedMeasured,
    httpRequestDuration: histogram('http_request_duration_seconds', 'Time to answer a request', http),
    httpRequests: counter('http_requests_total', 'Requests answered', http),
    ...createCacheMetrics(counter, registry),
    databaseQueryDuration: histogram('database_query_duration_seconds', 'Time of one query', ['operation']),
    webhookEventsReceived: counter(
      'webhook_events_received_total',
      'Stripe events received over HTTP',
      event,
    ),
    webhookEventsProcessed: counter(
      'webhook_events_processed_total',
      'Stripe events processed by the worker',
      event,
    ),
    webhookProcessing: histogram(
      'webhook_processing_seconds',
      'From accepted to applied',
      [],
      processingBuckets,
    ),
    webhookSignatureFailures: counter(
      'webhook_signature_failures_total',
      'Webhooks refused for their signature; reason `timestamp` means that the clocks differ',
      ['reason'],
    ),
    authFailures: counter(
      'auth_failures_total',
      'Requests refused for their credentials, by where and why; webhooks: for their signature',
      ['area', 'reason'],
    ),
    queueJobs: sharedGauge('bullmq_queue_jobs', 'Jobs by queue and state', ['queue', 'state']),
    queueRedisInfo: sharedGauge(
      'queue_redis_info',
      'Always 1; the labels say whether the Redis of the queue may evict (it must not) and whether it persists',
      ['eviction_policy', 'persistent'],
    ),
    queueOldestWaiting: sharedGauge(
      'bullmq_oldest_waiting_seconds',
      'Age of the oldest job that is due and not done, retries included',
      ['queue'],
    ),
    stripeRequestDuration: histogram(
      'stripe_request_duration_seconds',
      'Time of one attempt of a Stripe request',
      ['operation', 'outcome'],
    ),
    reconcileDrift: counter('reconcile_drift_total', 'Differences to Stripe that reconciliation found', [
      'kind',
    ]),
    defaultCodesLeftOut: counter(
      'checkout_default_codes_left_out_total',
      "Sales without the promotion code that is their project's default, which Stripe does not have (not_found) or refuses (refused)",
      ['reason'],
    ),
    ...usageMetrics({ counter, sharedGauge, histogram }),
  };
}

const usageMetrics = ({
  counter,
  sharedGauge,
  histogram,
}: Pick<Makers, 'counter' | 'sharedGauge' | 'histogram'>) => ({
  usageEvents: counter(
    'usage_events_total',
    'Usage that was decided, by how it was asked and what became of it',
    ['mode', 'outcome'],
  ),
  usageBatchSize: histogram(
    'usage_batch_size',
    'Decisions that one commit made',
    [],
    [1, 2, 4, 8, 16, 32, 64, 128, 256],
  ),
  usageCommit: histogram('usage_commit_seconds', 'Time to decide and commit a batch of usage', []),
  usageReservations: sharedGauge(
    'usage_reservations',
    'Reservations that are open, or due and not tidied up',
    ['state'],
  ),
  usageUncovered: counter(
    'usage_uncovered_total',
    'Usage that was recorded although neither an allowance nor allowed overage covered it',
  ),
});

/**
 * Sums of `nodejs_active_resources`, `…_handles` and `…_requests`. They are gauges with the name of a counter, which
 * `promtool check metrics` refuses; PromQL has `sum`.
 */
const sumsWithWrongNames = [
  'nodejs_active_resources_total',
  'nodejs_active_handles_total',
  'nodejs_active_requests_total',
];

function collectProcessMetrics(registry: Registry): void {
  collectDefaultMetrics({ register: registry });
  for (const name of sumsWithWrongNames) registry.removeSingleMetric(name);
}
