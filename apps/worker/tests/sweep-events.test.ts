import { isHandledEventType } from '@billing/domain';
import { createLogger, connectRedis } from '@billing/platform';
import { waitFor } from '@billing/testing';
import { PassThrough } from 'node:stream';
import type { Stripe } from 'stripe';
import { startWorker } from '../src/start-worker.ts';
import { startTestWorker } from './support/start-test-worker.test-support.ts';
import type { TestWorker } from './support/start-test-worker.test-support.ts';
import { startJourney } from './support/stripe-journey.test-support.ts';
import type { Journey } from './support/stripe-journey.test-support.ts';

let world: TestWorker;

beforeEach(async () => {
  world = await startTestWorker({ env: { EVENT_SWEEP_SECONDS: '1' } });
});
afterEach(() => world.close());

const silent = () =>
  createLogger({ service: 'test', level: 'error', format: 'json', destination: new PassThrough().resume() });

/** Stripe's handled events about a journey: nothing delivers them here. */
async function listed(journey: Journey): Promise<Stripe.Event[]> {
  return (await journey.history()).filter((event) => isHandledEventType(event.type));
}

async function hasAll(events: readonly Stripe.Event[]): Promise<boolean> {
  const ids = events.map((event) => event.id);
  return (await world.database.stripeEvent.count({ where: { eventId: { in: ids } } })) === ids.length;
}

async function buy(): Promise<Journey> {
  const journey = await startJourney(world, 'subscription');
  await journey.map();
  await journey.pay();
  return journey;
}

async function emptyRedis(): Promise<void> {
  const redis = connectRedis({ url: world.redis.url, role: 'producer', logger: silent() });
  await waitFor(() => redis.status === 'ready', { what: 'Redis' });
  await redis.flushall();
  redis.disconnect();
}

const isPro = async ({ userId }: Journey): Promise<boolean> =>
  (await world.features(Date.now(), userId)).some((one) => one.featureCode === 'pro');

it('events that no webhook brought are found in the list and applied, and only once', async () => {
  const journey = await buy();
  const events = await listed(journey);
  await waitFor(() => hasAll(events), { what: 'the ledger', timeoutMs: 20_000 });
  expect(await isPro(journey)).toBe(true);
  const swept = await world.database.eventSweep.findUniqueOrThrow({ where: { mode: 'test' } });
  const next = () => world.database.eventSweep.findUniqueOrThrow({ where: { mode: 'test' } });
  await waitFor(async () => Number((await next()).succeededAt) > Number(swept.succeededAt), {
    what: 'another sweep',
    timeoutMs: 20_000,
  });
  await world.idle();
  expect((await world.ledger()).every((row) => row.attempts === 1)).toBe(true);
}, 60_000);

it('after Redis was emptied the schedule comes back by itself, and with it the events that were acknowledged', async () => {
  await waitFor(() => world.database.eventSweep.findFirst({ where: { succeededAt: { not: null } } }), {
    what: 'the first sweep',
    timeoutMs: 20_000,
  });
  await world.stopWorker();
  const journey = await buy();
  const events = await listed(journey);
  for (const event of events) await world.enqueue(event);
  await emptyRedis();
  await world.startWorker();
  await waitFor(() => hasAll(events), { what: 'the ledger', timeoutMs: 20_000 });
  await emptyRedis();
  const later = await buy();
  const laterEvents = await listed(later);
  await waitFor(() => hasAll(laterEvents), { what: 'the ledger after the second loss', timeoutMs: 20_000 });
  expect(await isPro(later)).toBe(true);
}, 90_000);

it('a page that Stripe refuses is asked for again, and the sweep is no success until then', async () => {
  await world.stopWorker();
  const journey = await buy();
  const events = await listed(journey);
  await world.control('/faults', { mode: '500', times: 6, path: '/v1/events' });
  await world.startWorker();
  await waitFor(() => hasAll(events), { what: 'the ledger', timeoutMs: 40_000 });
  expect(world.logs.join('')).toContain('stripe_page_failed');
}, 60_000);

it('continues where an interrupted sweep was, and two workers do not do it twice', async () => {
  await world.stopWorker();
  const journey = await buy();
  const events = await listed(journey);
  const newest = Math.max(...events.map((event) => event.created));
  const interrupted = {
    state: { from: newest - 3_600, to: newest, group: 1, after: null, found: 3 },
    lockedBy: 'a worker that died',
    lockedUntil: new Date(Date.now() - 1_000),
  };
  await world.database.eventSweep.upsert({
    where: { mode: 'test' },
    create: { mode: 'test', ...interrupted },
    update: interrupted,
  });
  await world.startWorker();
  const second = await startWorker({ config: world.config, logger: silent(), host: '127.0.0.1' });
  await waitFor(() => hasAll(events), { what: 'the ledger', timeoutMs: 20_000 });
  await world.idle();
  expect((await world.ledger()).every((row) => row.attempts === 1)).toBe(true);
  const sweep = await world.database.eventSweep.findUniqueOrThrow({ where: { mode: 'test' } });
  expect(Number(sweep.sweptTo)).toBeGreaterThanOrEqual(newest * 1000);
  await second.stop();
}, 60_000);
