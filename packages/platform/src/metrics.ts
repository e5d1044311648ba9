import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';

/** Seconds: 1 ms to 10 s. */
const latencyBuckets = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];
/** Accepted → applied spans outages too, and an outage must not vanish in the last bucket. */
const processingBuckets = [...latencyBuckets, 30, 60, 300, 900, 3_600];

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

export type Metrics = {
  registry: Registry;
  /** Makes a further counter in the same registry. */
  counter: <L extends string = never>(name: string, help: string, labelNames?: readonly L[]) => Counter<L>;
  /** Makes a further gauge in the same registry. */
  gauge: <L extends string = never>(name: string, help: string, labelNames?: readonly L[]) => Gauge<L>;
  httpRequestDuration: Histogram<'method' | 'route' | 'status_code'>;
  httpRequests: Counter<'method' | 'route' | 'status_code'>;
  entitlementCacheHits: Counter;
  entitlementCacheMisses: Counter;
  entitlementCacheEnabled: Gauge;
  entitlementReadsNotAdmitted: Counter;
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
};

/**
 * Creates the service's metrics in a registry of their own: two apps in one test process must not share
 * prom-client's global one. Label values must be bounded: patterns and types, never ids or raw URLs.
 */
export function createMetrics({ service, withProcessMetrics = true }: MetricsOptions): Metrics {
  const registry = new Registry();
  const registers = [registry];
  const counter: Metrics['counter'] = (name, help, labelNames = []) =>
    new Counter({ name, help, labelNames: [...labelNames], registers });
  const gauge: Metrics['gauge'] = (name, help, labelNames = []) =>
    new Gauge({ name, help, labelNames: [...labelNames], registers });
  /** Of a value that all processes share: where processes are added up, the highest counts. */
  const sharedGauge: Metrics['gauge'] = (name, help, labelNames = []) =>
    new Gauge({ name, help, labelNames: [...labelNames], registers, aggregator: 'max' });
  /** In seconds. */
  const histogram = <L extends string>(name: string, help: string, labelNames: readonly L[]) =>
    new Histogram<L>({ name, help, labelNames: [...labelNames], buckets: latencyBuckets, registers });

  if (withProcessMetrics) collectProcessMetrics(registry);
  gauge('service_info', 'Always 1; the label says which process this is', ['service']).set({ service }, 1);
  const http = ['method', 'route', 'status_code'] as const;
  const event = ['type', 'outcome'] as const;
  return {
    registry,
    counter,
    gauge,
    httpRequestDuration: histogram('http_request_duration_seconds', 'Time to answer a request', http),
    httpRequests: counter('http_requests_total', 'Requests answered', http),
    entitlementCacheHits: counter(
      'entitlement_cache_hits_total',
      'Entitlement reads answered from the cache',
    ),
    entitlementCacheMisses: counter(
      'entitlement_cache_misses_total',
      'Entitlement reads that went to Postgres',
    ),
    // Where processes are added up, the one that may ask the least of it counts.
    entitlementCacheEnabled: new Gauge({
      name: 'entitlement_cache_enabled',
      help: 'The share of the cache that may be asked: 0 while it is off or away, less than 1 where a server of several is',
      registers,
      aggregator: 'min',
    }),
    entitlementReadsNotAdmitted: counter(
      'entitlement_reads_not_admitted_total',
      'Entitlement reads refused with 503 because too many needed Postgres while the cache was cold',
    ),
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
    webhookProcessing: new Histogram({
      name: 'webhook_processing_seconds',
      help: 'From accepted to applied',
      buckets: processingBuckets,
      registers,
    }),
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
  };
}

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
