import { metricComplaints } from '@billing/testing';
import { createMetrics } from './metrics.ts';

test('has the names and labels that dashboards rely on', async () => {
  const metrics = createMetrics({ service: 'api' });
  metrics.httpRequests.inc({ method: 'GET', route: '/healthz', status_code: '200' });
  metrics.httpRequestDuration.labels('GET', '/healthz', '200').observe(0.002);
  metrics.entitlementCacheHits.inc();
  metrics.databaseQueryDuration.observe({ operation: 'read_sources' }, 0.001);
  metrics.webhookEventsReceived.inc({ type: 'invoice.paid', outcome: 'enqueued' });
  metrics.webhookEventsProcessed.inc({ type: 'invoice.paid', outcome: 'applied' });
  metrics.webhookProcessing.observe(42);
  metrics.queueJobs.set({ queue: 'stripe-events', state: 'waiting' }, 3);
  metrics.queueOldestWaiting.set({ queue: 'stripe-events' }, 1.5);
  metrics.stripeRequestDuration.observe({ operation: 'GET /v1/prices/:id', outcome: 'ok' }, 0.1);
  metrics.reconcileDrift.inc({ kind: 'status' });
  const text = await metrics.registry.metrics();
  for (const line of [
    'http_requests_total{method="GET",route="/healthz",status_code="200"} 1',
    'http_request_duration_seconds_bucket{le="0.001",method="GET",route="/healthz",status_code="200"} 0',
    'http_request_duration_seconds_bucket{le="10",method="GET",route="/healthz",status_code="200"} 1',
    'entitlement_cache_hits_total 1',
    'entitlement_cache_misses_total 0',
    'database_query_duration_seconds_count{operation="read_sources"} 1',
    'webhook_events_received_total{type="invoice.paid",outcome="enqueued"} 1',
    'webhook_events_processed_total{type="invoice.paid",outcome="applied"} 1',
    'webhook_processing_seconds_bucket{le="60"} 1',
    'bullmq_queue_jobs{queue="stripe-events",state="waiting"} 3',
    'bullmq_oldest_waiting_seconds{queue="stripe-events"} 1.5',
    'stripe_request_duration_seconds_count{operation="GET /v1/prices/:id",outcome="ok"} 1',
    'reconcile_drift_total{kind="status"} 1',
    'process_resident_memory_bytes',
  ]) {
    expect(text).toContain(line);
  }
});

test('two in one process do not share a registry', async () => {
  const first = createMetrics({ service: 'api', withProcessMetrics: false });
  const second = createMetrics({ service: 'worker', withProcessMetrics: false });
  first.counter('extra_total', 'More').inc();
  expect(await second.registry.metrics()).not.toContain('extra_total');
});

test("Prometheus has no complaint about their names, prom-client's own included", async () => {
  const text = await createMetrics({ service: 'api' }).registry.metrics();
  expect(metricComplaints(text)).toEqual([]);
  const asGauge = '# HELP a_total A.\n# TYPE a_total gauge\na_total 1\n# TYPE b counter\nb 1\n';
  for (const name of ['a_total', 'b '])
    expect(metricComplaints(asGauge).filter((line) => line.startsWith(name))).not.toEqual([]);
});
