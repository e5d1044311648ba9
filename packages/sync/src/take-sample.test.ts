import { PassThrough } from 'node:stream';
import { queueNames, sampleSlot } from '@billing/domain';
import { connectRedis, createLogger, createQueue } from '@billing/platform';
import { createDatabase, readOverview, readSamples } from '@billing/store';
import { createTestDatabase, startTestRedis, waitFor } from '@billing/testing';
import { createReadBudget } from './stripe/read-budget.ts';
import { createSampler } from './take-sample.ts';

const logger = createLogger({
  service: 'test',
  level: 'error',
  format: 'json',
  destination: new PassThrough().resume(),
});

async function startWorld() {
  const [place, redis] = await Promise.all([createTestDatabase(), startTestRedis()]);
  const database = createDatabase({
    url: place.url,
    poolSize: 2,
    connectTimeoutMs: 5_000,
    statementTimeoutMs: 10_000,
  });
  const queueOf = (name: string) => createQueue({ url: redis.url, name, prefix: 'bull', logger });
  const queues = {
    stripeEvents: queueOf(queueNames.stripeEvents),
    maintenance: queueOf(queueNames.maintenance),
    usageEvents: queueOf(queueNames.usageEvents),
  };
  const connection = connectRedis({ url: redis.url, role: 'cache', logger });
  await waitFor(
    () => connection.status === 'ready' && Object.values(queues).every((queue) => queue.ready()),
    { what: 'Redis' },
  );
  let now = Date.parse('2026-11-22T10:00:05.000Z');
  const clock = () => now;
  const budget = createReadBudget({ redis: connection, prefix: 'bull', perSecond: 20, clock });
  return {
    database,
    queues,
    budget,
    redis,
    clock,
    advance: (ms: number) => (now += ms),
    /** Two workers come at the same moment. */
    async sample(): Promise<void> {
      const samplers = [1, 2].map(() => createSampler({ clock, database, budget, ...queues }));
      await Promise.all(samplers.map((take) => take()));
    },
    async close(): Promise<void> {
      await Promise.all(Object.values(queues).map((queue) => queue.close()));
      connection.disconnect();
      await database.$disconnect();
      await Promise.all([place.drop(), redis.stop()]);
    },
  };
}

let world: Awaited<ReturnType<typeof startWorld>>;
beforeAll(async () => {
  world = await startWorld();
});
afterAll(() => world.close());

/** Events that were processed so many milliseconds before the sample that is due. */
async function record(status: string, ...millisecondsBefore: number[]): Promise<void> {
  const due = sampleSlot(world.clock());
  await world.database.stripeEvent.createMany({
    data: millisecondsBefore.map((before) => ({
      eventId: `evt_${status}_${due}_${before}`,
      type: 'invoice.paid',
      status,
      reason: status === 'applied' ? null : 'of_the_test',
      created: new Date(due),
      receivedAt: new Date(due),
      processedAt: new Date(due - before),
    })),
  });
}

test('one of all workers takes each sample: the queues now, and the events of ten seconds', async () => {
  const { database, queues, budget } = world;
  await queues.stripeEvents.addBulk([{ name: 'invoice.paid', jobId: 'evt_waits', data: {} }], {
    deadlineMs: 5_000,
  });
  await record('applied', 1, 9_999, 10_000, 10_001, 0);
  await record('failed', 5_000);
  await budget.take();
  await world.sample();
  world.advance(10_000);
  await record('quarantined', 1);
  await world.sample();

  const from = Date.parse('2026-11-22T10:00:00.000Z');
  const none = { applied: 0, stale: 0, ignored: 0, quarantined: 0, failed: 0 };
  const queue = { waiting: 0, active: 0, delayed: 0, failed: 0, oldest_seconds: 0 };
  const waits = { ...queue, name: 'stripe-events', waiting: 1, oldest_seconds: expect.any(Number) };
  const others = ['maintenance', 'usage-events'].map((name) => ({ ...queue, name }));
  const samples = await readSamples(database, { from, to: from + 60_000, stepSeconds: 10 });
  const queuesThen = expect.arrayContaining([waits, ...others]);
  expect(samples).toEqual([
    { at: from, queues: queuesThen, events: { ...none, applied: 3, failed: 1 } },
    // What was processed at the moment of the sample before belongs to this one.
    { at: from + 10_000, queues: queuesThen, events: { ...none, applied: 1, quarantined: 1 } },
  ]);
  const together = await readSamples(database, { from, to: from + 60_000, stepSeconds: 30 });
  expect(together).toMatchObject([
    { at: from, events: { applied: 3 } },
    { at: from + 30_000, queues: [{ name: 'maintenance' }, { waiting: 1 }, { name: 'usage-events' }] },
  ]);
  expect(await readSamples(database, { from: from + 1, to: from + 10_000, stepSeconds: 10 })).toEqual([]);

  const { reads, failed, quarantined } = await readOverview(database, { mode: 'test' });
  expect({ failed, quarantined }).toEqual({ failed: 1, quarantined: 1 });
  expect(reads).toMatchObject({ perSecond: 20, allowedPerSecond: 20, at: from + 10_000 });
  expect(reads?.available).toBeGreaterThan(18);

  // Without Redis the events are counted all the same.
  world.redis.pause();
  world.advance(10_000);
  await world.sample();
  world.redis.resume();
  await waitFor(async () => (await budget.look()) !== null, { what: 'Redis, which answers again' });
  const [last] = await readSamples(database, { from: from + 20_000, to: from + 30_000, stepSeconds: 10 });
  expect(last).toEqual({ at: from + 20_000, queues: [], events: none });
});

test('a 429 of Stripe shows in the budget', async () => {
  await world.budget.throttle(30_000);
  const state = await world.budget.look();
  expect(state).toMatchObject({ perSecond: 20, available: 0 });
  expect(state?.allowedPerSecond).toBeLessThan(12);
});
