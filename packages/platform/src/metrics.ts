import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';

/** Seconds: 1 ms to 10 s. */
const LATENCY_BUCKETS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];
/** Accepted → applied spans outages too, and an outage must not vanish in the last bucket. */
const PROCESSING_BUCKETS = [...LATENCY_BUCKETS, 30, 60, 300, 900, 3_600];

export interface MetricsOptions {
  readonly service: string;
  /** Put before every name; the contract's names have none. */
  readonly prefix?: string;
  /** prom-client's process metrics (CPU, memory, event loop); default true. */
  readonly withProcessMetrics?: boolean;
}

export type Metrics = ReturnType<typeof createMetrics>;

/** Makers of metrics in one registry, for what the list below does not have too. */
function metricMakers(registry: Registry, prefix: string) {
  const registers = [registry];
  return {
    counter: <L extends string = never>(name: string, help: string, labelNames: readonly L[] = []) =>
      new Counter<L>({ name: `${prefix}${name}`, help, labelNames: [...labelNames], registers }),
    gauge: <L extends string = never>(name: string, help: string, labelNames: readonly L[] = []) =>
      new Gauge<L>({ name: `${prefix}${name}`, help, labelNames: [...labelNames], registers }),
    /** Of something that all processes share: where several are added up, each says the same number. */
    sharedGauge: <L extends string = never>(name: string, help: string, labelNames: readonly L[] = []) =>
      new Gauge<L>({
        name: `${prefix}${name}`,
        help,
        labelNames: [...labelNames],
        registers,
        aggregator: 'max',
      }),
    /** In seconds. */
    histogram: <L extends string = never>(
      name: string,
      help: string,
      { labelNames = [], buckets = LATENCY_BUCKETS }: HistogramShape<L> = {},
    ) => {
      const shape = { labelNames: [...labelNames], buckets: [...buckets] };
      return new Histogram<L>({ name: `${prefix}${name}`, help, ...shape, registers });
    },
  };
}

interface HistogramShape<L extends string> {
  readonly labelNames?: readonly L[];
  readonly buckets?: readonly number[];
}

/**
 * Creates the service's metrics in a registry of their own: two apps in one test process must not share
 * prom-client's global one. Label values must be bounded: patterns and types, never ids or raw URLs.
 */
export function createMetrics({ service, prefix = '', withProcessMetrics = true }: MetricsOptions) {
  const registry = new Registry();
  const makers = metricMakers(registry, prefix);
  const { counter, gauge, sharedGauge, histogram } = makers;
  if (withProcessMetrics) collectDefaultMetrics({ register: registry, prefix });
  gauge('service_info', 'Always 1; the label says which process this is', ['service']).set({ service }, 1);
  const http = ['method', 'route', 'status_code'] as const;
  return {
    registry,
    ...makers,
    httpRequestDuration: histogram('http_request_duration_seconds', 'Time to answer a request', {
      labelNames: http,
    }),
    httpRequests: counter('http_requests_total', 'Requests answered', http),
    entitlementCacheHits: counter(
      'entitlement_cache_hits_total',
      'Entitlement reads answered from the cache',
    ),
    entitlementCacheMisses: counter(
      'entitlement_cache_misses_total',
      'Entitlement reads that went to Postgres',
    ),
    databaseQueryDuration: histogram('database_query_duration_seconds', 'Time of one query', {
      labelNames: ['operation'],
    }),
    webhookEventsReceived: counter('webhook_events_received_total', 'Stripe events received over HTTP', [
      'type',
      'outcome',
    ]),
    webhookEventsProcessed: counter(
      'webhook_events_processed_total',
      'Stripe events processed by the worker',
      ['type', 'outcome'],
    ),
    webhookProcessing: histogram('webhook_processing_seconds', 'From accepted to applied', {
      buckets: PROCESSING_BUCKETS,
    }),
    queueJobs: sharedGauge('bullmq_queue_jobs', 'Jobs by queue and state', ['queue', 'state']),
    webhookSignatureFailures: counter(
      'webhook_signature_failures_total',
      'Webhooks refused for their signature; reason `timestamp` means that the clocks differ',
      ['reason'],
    ),
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
      {
        labelNames: ['operation', 'outcome'],
      },
    ),
    reconcileDrift: counter('reconcile_drift_total', 'Differences to Stripe that reconciliation found', [
      'kind',
    ]),
  };
}
