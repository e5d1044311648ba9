import { queueNames } from '@billing/domain';
import { connectRedis, createLogger, createQueue } from '@billing/platform';
import { createTestProxy, startTestRedis, stripeEvent, subscriptionObject, waitFor } from '@billing/testing';
import { PassThrough } from 'node:stream';
import { createConsumer } from '../src/consume/create-consumer.ts';
import { startTestWorker } from './support/start-test-worker.test-support.ts';
import type { TestWorker } from './support/start-test-worker.test-support.ts';
import { startJourney } from './support/stripe-journey.test-support.ts';
import { startWorker } from '../src/start-worker.ts';

let world: TestWorker;
beforeAll(async () => {
  world = await startTestWorker({ isStarted: false });
});
afterEach(() => world.stopWorker());
afterAll(() => world.close());

const logger = () =>
  createLogger({ service: 'test', level: 'error', format: 'json', destination: new PassThrough().resume() });

const createdOf = (id: string) =>
  stripeEvent({ type: 'customer.subscription.created', object: subscriptionObject({ id }) });

describe('failures', () => {
  it('Postgres away: events wait, and are applied when it is back', async () => {
    const { hostname, port } = new URL(world.config.databaseUrl);
    const proxy = await createTestProxy({ host: hostname, port: Number(port) });
    const config = { ...world.config, databaseUrl: proxy.urlFor(world.config.databaseUrl) };
    await proxy.setMode('refuse');
    const worker = await startWorker({ config, logger: logger(), host: '127.0.0.1' });
    const events = Array.from({ length: 20 }, (_, index) => createdOf(`sub_away_${index}`));
    await Promise.all(events.map((event) => world.enqueue(event)));
    await waitFor(async () => ((await world.queue.counts())['delayed'] ?? 0) > 0, { what: 'a waiting job' });
    await proxy.setMode('pass');
    await world.idle(30_000);
    expect((await world.ledger()).map((row) => row.status)).toEqual(events.map(() => 'applied'));
    await worker.stop();
    await proxy.close();
  }, 60_000);

  it('a failed event is processed again when it is sent again', async () => {
    await world.startWorker();
    const event = createdOf('sub_again');
    await world.database.stripeEvent.create({
      data: {
        eventId: event.id,
        type: event.type,
        status: 'failed',
        reason: 'processing_failed',
        created: new Date(),
        receivedAt: new Date(),
        payload: {},
      },
    });
    await world.deliver(event);
    const row = await world.database.stripeEvent.findUniqueOrThrow({ where: { eventId: event.id } });
    expect(row).toMatchObject({ status: 'applied', reason: null, attempts: 2 });
  });

  it('a type of event that only a newer version knows goes back to the queue', async () => {
    await world.startWorker();
    const event = stripeEvent({ type: 'customer.teleported', object: {} });
    await world.enqueue(event);
    await waitFor(async () => ((await world.queue.counts())['delayed'] ?? 0) === 1, { what: 'the job' });
    expect(await world.outcomeOf(event)).toBeNull();
    await world.queue.bull.drain(true);
  });

  it('a job that crashed its worker ten times is recorded as failed, and can be replayed', async () => {
    const [fatal, harmless] = [createdOf('sub_fatal'), createdOf('sub_harmless')];
    await Promise.all([fatal, harmless].map((event) => world.enqueue(event)));
    const redis = connectRedis({ url: world.config.redisUrl, role: 'worker', logger: logger() });
    // BullMQ's count of workers whose lock on the job expired.
    await redis.hset(world.queue.bull.toKey(fatal.id), { stc: '10' });
    await redis.hset(world.queue.bull.toKey(harmless.id), { stc: '9' });
    redis.disconnect();
    await world.startWorker();
    await world.idle(30_000);
    expect(await world.outcomeOf(harmless)).toBe('applied');
    expect(await world.outcomeOf(fatal)).toBe('failed:crashed_repeatedly');
    await world.deliver(fatal);
    expect(await world.outcomeOf(fatal)).toBe('applied');
  }, 60_000);

  it('a job that cannot even be put back is kept', async () => {
    const redis = await startTestRedis();
    const queue = createQueue({
      url: redis.url,
      name: queueNames.stripeEvents,
      prefix: 'bull',
      logger: logger(),
    });
    const consumer = createConsumer({
      redisUrl: redis.url,
      prefix: 'bull',
      concurrency: { 'stripe-events': 1, maintenance: 1, 'usage-events': 1 },
      logger: logger(),
      processors: {
        'stripe-events': () => Promise.reject(new Error('Redis is read-only')),
        maintenance: () => Promise.resolve({ kind: 'done' }),
        'usage-events': () => Promise.resolve({ kind: 'done' }),
      },
    });
    await waitFor(() => queue.ready() && consumer.isReady(), { what: 'Redis' });
    await queue.add({ name: 'x', data: {}, jobId: 'evt_kept' }, { deadlineMs: 2_000 });
    await waitFor(async () => ((await queue.counts())['delayed'] ?? 0) === 1, { what: 'the job' });
    expect((await queue.counts())['failed']).toBe(0);
    await consumer.stop();
    await queue.close();
    await redis.stop();
  });

  it('fifty jobs on one subscription with a slow Stripe that answers out of order end in its state', async () => {
    const journey = await startJourney(world, 'subscription');
    await journey.map();
    await journey.pay();
    const subscription = await journey.subscription();
    const [item] = subscription.items.data;
    await world.startWorker();
    const second = await startWorker({ config: world.config, logger: logger(), host: '127.0.0.1' });
    await world.control('/faults', { mode: 'delay', min_ms: 5, max_ms: 300 });
    const statuses = ['incomplete', 'past_due', 'unpaid', 'paused', 'trialing'];
    const events = Array.from({ length: 50 }, (_, index) =>
      stripeEvent({
        type: 'customer.subscription.updated',
        object: subscriptionObject({
          id: subscription.id,
          customer: journey.customerId,
          status: statuses[index % statuses.length] ?? 'active',
          items: [{ id: item?.id ?? '', priceId: journey.priceId }],
        }),
        created: subscription.created,
      }),
    );
    await Promise.all(events.map((event) => world.enqueue(event)));
    await world.idle(40_000);
    await second.stop();
    await world.control('/faults', { mode: 'none' });
    const row = await world.database.subscription.findUniqueOrThrow({ where: { id: subscription.id } });
    expect(row).toMatchObject({ status: 'active', confirmed: true });
    await waitFor(async () => (await world.database.cacheInvalidation.count()) === 0, {
      what: 'every pending invalidation to be published and deleted',
    });
  }, 60_000);
});
