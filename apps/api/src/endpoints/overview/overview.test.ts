import { saveSample, takeSampleSlot } from '@billing/store';
import { waitFor } from '@billing/testing';
import { startCommerce, uniqueId } from '../../testing/start-commerce.test-support.ts';
import type { Commerce } from '../../testing/start-commerce.test-support.ts';

let api: Commerce;
beforeAll(async () => {
  api = await startCommerce();
});
afterAll(() => api.close());

const overview = async () => (await api.admin('get', '/overview').expect(200)).body;
const codesOf = (body: { conditions: { code: string }[] }) => body.conditions.map(({ code }) => code);

test('the overview shows processes and queues, and what needs somebody', async () => {
  const { database } = api.deps;
  await waitFor(async () => (await overview()).processes.api === 1, { what: 'the process to be known' });
  const before = await overview();
  expect(before).toMatchObject({
    processes: { api: 1, worker: 0 },
    queues: [{ name: 'stripe-events' }, { name: 'maintenance' }, { name: 'usage-events' }],
    events: { failed: 0, quarantined: 0 },
    stripe_reads: null,
    last_sweep: { succeeded_at: null, age_seconds: null },
    drift: null,
    webhooks: { endpoints_enabled: 0, deliveries_due: 0 },
  });
  expect(codesOf(before)).toEqual(['no_worker']);

  await database.$executeRaw`
    INSERT INTO public.cache_processes (process_id, servers, seen_at, service) VALUES ('w', '{}', now(), 'worker')`;
  const ago = new Date(Date.now() - 20 * 60_000);
  await database.eventSweep.create({ data: { mode: 'test', succeededAt: ago } });
  await database.stripeEvent.create({
    data: {
      eventId: uniqueId('evt'),
      type: 'invoice.paid',
      status: 'failed',
      reason: 'processing_failed',
      created: ago,
      receivedAt: ago,
    },
  });
  const result = {
    subscriptions_synced: 9,
    subscriptions_updated: 1,
    subscriptions_missing_in_stripe: 0,
    purchases_synced: 3,
    purchases_updated: 2,
    purchases_missing_in_stripe: 0,
    drift: [],
    drift_truncated: false,
  };
  const run = { kind: 'reconcile', status: 'done', requestedBy: 'tester', finishedAt: ago };
  await database.run.create({ data: { id: uniqueId('run'), ...run, result } });
  const after = await overview();
  expect(after).toMatchObject({
    processes: { worker: 1 },
    events: { failed: 1 },
    drift: { differences: 3, finished_at: ago.toISOString() },
    last_sweep: { succeeded_at: ago.toISOString() },
  });
  expect(after.last_sweep.age_seconds).toBeGreaterThanOrEqual(1_200);
  expect(codesOf(after)).toEqual(['events_failed', 'sweep_late', 'drift_found']);
});

test('without the Redis of the queue the overview says so, and shows the rest', async () => {
  api.redis.pause();
  try {
    const body = await overview();
    expect([body.queues, codesOf(body)[0]]).toEqual([null, 'queue_unreachable']);
  } finally {
    api.redis.resume();
  }
});

test('samples are read by their time, in an order and number that a graph can show', async () => {
  const now = Date.now();
  const at = Math.floor(now / 10_000) * 10_000;
  const events = { applied: 1, stale: 0, ignored: 0, quarantined: 0, failed: 0 };
  const hours = [0, 1, 3, 30].map((ago) => at - ago * 3_600_000);
  for (const one of hours) {
    await takeSampleSlot(api.deps.database, one);
    await saveSample(api.deps.database, { at: one, queues: [], events, stripeReads: null });
  }
  const read = async (query = '') => (await api.admin('get', `/samples${query}`).expect(200)).body;
  const recent = await read();
  expect([recent.step_seconds, recent.data.at(-1)]).toEqual([
    10,
    { at: new Date(at).toISOString(), queues: [], events },
  ]);
  const day = await read(`?from=${new Date(at - 24 * 3_600_000).toISOString()}`);
  expect([day.step_seconds, day.data.length]).toEqual([90, 3]);
  expect((await read(`?from=${new Date(0).toISOString()}`)).data).toHaveLength(4);
  const before = new Date(hours[1] ?? 0).toISOString();
  expect((await read(`?from=${new Date(hours[2] ?? 0).toISOString()}&to=${before}`)).data).toHaveLength(1);
  const refused = await api.admin('get', `/samples?from=${before}&to=${before}`);
  expect([refused.status, refused.body.errors]).toEqual([
    400,
    [{ path: 'to', message: 'must be later than from' }],
  ]);
});
