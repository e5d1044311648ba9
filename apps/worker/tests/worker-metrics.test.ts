import { createQueue, createLogger } from '@billing/platform';
import { queueNames } from '@billing/domain';
import { metricComplaints, stripeEvent, subscriptionObject, waitFor } from '@billing/testing';
import { startTestWorker, uniqueId } from './support/start-test-worker.test-support.ts';
import type { TestWorker } from './support/start-test-worker.test-support.ts';

let world: TestWorker;
beforeAll(async () => {
  world = await startTestWorker({ isStarted: false });
});
afterEach(() => world.stopWorker());
afterAll(() => world.close());

async function scrape(): Promise<string> {
  const answer = await fetch(`http://127.0.0.1:${world.worker().port}/metrics`);
  return answer.text();
}

/** How many series there are, of the service's own metrics. */
const seriesOf = (text: string): number =>
  text.split('\n').filter((line) => line !== '' && !/^(#|process_|nodejs_)/.test(line)).length;

const envelope = () => stripeEvent({ type: 'customer.subscription.updated', object: subscriptionObject() });

const strange = (index: number, mark: string) => ({
  ...envelope(),
  id: uniqueId('evt'),
  type: `${mark}.type_${index}`,
});
const oddVersion = (index: number, mark: string) => ({
  ...envelope(),
  id: uniqueId('evt'),
  api_version: `${mark}-${index}`,
});

describe("the worker's metrics", () => {
  it('has every name of the contract, and both queues, read for each scrape', async () => {
    const logger = createLogger({ service: 'test', level: 'error', format: 'json' });
    const maintenance = createQueue({
      url: world.redis.url,
      name: queueNames.maintenance,
      prefix: world.config.queuePrefix,
      logger,
    });
    await waitFor(() => maintenance.ready(), { what: 'the queue' });
    const hourAgo = Date.now() - 3_600_000;
    await maintenance.add(
      { name: 'of-a-newer-version', data: {}, opts: { timestamp: hourAgo } },
      { deadlineMs: 5_000 },
    );
    await world.startWorker();
    await waitFor(
      async () => (await maintenance.bull.getDelayed()).some(({ name }) => name === 'of-a-newer-version'),
      { what: 'the job to be put back' },
    );
    const text = await scrape();
    // Schedules may have added theirs.
    expect(text).toMatch(/^bullmq_queue_jobs\{queue="maintenance",state="delayed"\} [1-9]/m);
    for (const line of [
      'bullmq_queue_jobs{queue="stripe-events",state="waiting"} 0',
      'duplicate_subscriptions 0',
      'bullmq_oldest_waiting_seconds{queue="stripe-events"} 0',
      'queue_redis_info{eviction_policy="noeviction",persistent=',
      '# TYPE http_request_duration_seconds histogram',
      '# TYPE http_requests_total counter',
      '# TYPE entitlement_cache_hits_total counter',
      '# TYPE entitlement_cache_misses_total counter',
      'database_query_duration_seconds_bucket{le="0.001",operation=',
      '# TYPE webhook_events_received_total counter',
      '# TYPE webhook_events_processed_total counter',
      'webhook_processing_seconds_bucket{le="10"}',
      '# TYPE stripe_request_duration_seconds histogram',
      '# TYPE reconcile_drift_total counter',
      'process_cpu_seconds_total',
    ])
      expect(text).toContain(line);
    expect(metricComplaints(text)).toEqual([]);
    const age = /bullmq_oldest_waiting_seconds\{queue="maintenance"\} ([\d.]+)/.exec(text)?.[1];
    expect(Number(age)).toBeGreaterThanOrEqual(3_600);
    await maintenance.bull.obliterate({ force: true });
    await maintenance.close();
  }, 60_000);

  it('has no more series after a flood of unknown types, versions and addresses', async () => {
    await world.startWorker();
    // Older than the retry time: unknown types are recorded as ignored.
    const received_at = new Date(Date.now() - 80 * 3_600_000).toISOString();
    async function flood(mark: string, count: number): Promise<void> {
      for (let index = 0; index < count; index += 1) {
        for (const event of [strange(index, mark), oddVersion(index, mark)])
          await world.queue.add(
            { name: event.type, data: { event, received_at }, jobId: event.id },
            { deadlineMs: 5_000 },
          );
        await fetch(`http://127.0.0.1:${world.worker().port}/${mark}/${index}`);
      }
      await world.idle();
    }
    await flood('drip', 2);
    // Published invalidations are deleted a little later, which is an operation of its own.
    await waitFor(async () => (await scrape()).includes('operation="delete"'), { what: 'the delete' });
    const before = seriesOf(await scrape());
    await flood('deluge', 60);
    const text = await scrape();
    expect(text).toMatch(/webhook_events_processed_total\{type="other",outcome="ignored"\} 62/);
    expect(text).not.toMatch(/deluge/);
    // One for each event or address would be 180. What the worker does beside them may meet an outcome, or an operation with all
    // its buckets, for the first time.
    expect(seriesOf(text) - before).toBeLessThanOrEqual(60);
  }, 60_000);
});
