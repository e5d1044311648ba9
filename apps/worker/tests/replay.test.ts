import { replayEventResponse, replayResult } from '@billing/domain';
import { connectRedis, createLogger } from '@billing/platform';
import { erasePayloads, requestEventReplay, requestReplay } from '@billing/store';
import { periodStart, stripeEvent, subscriptionObject, waitFor } from '@billing/testing';
import { PassThrough } from 'node:stream';
import { startTestWorker, uniqueId } from './support/start-test-worker.test-support.ts';
import type { TestWorker } from './support/start-test-worker.test-support.ts';

let world: TestWorker;

beforeAll(async () => {
  // Without retries: an event that fails is recorded as failed at once.
  world = await startTestWorker({ env: { EVENT_RETRY_HOURS: '0' } });
});
afterAll(() => world.close());

const actor = { name: 'tester', requestId: null };

async function ended(runId: string): Promise<unknown> {
  const run = await waitFor(
    async () => {
      const found = await world.database.run.findUniqueOrThrow({ where: { id: runId } });
      return found.status === 'running' ? null : found;
    },
    { what: 'the run', timeoutMs: 20_000 },
  );
  expect(run).toMatchObject({ status: 'done', error: null });
  return run.result;
}

async function replay(eventId: string, dryRun = false) {
  const ordered = await requestEventReplay(world.database, { eventId, dryRun }, actor);
  return replayEventResponse.parse(await ended(ordered?.runId ?? 'none'));
}

const subscriptionEvent = (id: string, parts: object = {}, created = periodStart) =>
  stripeEvent({
    type: 'customer.subscription.updated',
    object: subscriptionObject({ id, ...parts }),
    created,
  });

/** A constraint by which no subscription of this id can be written: its events fail by themselves. */
async function poison(id: string): Promise<() => Promise<unknown>> {
  await world.asOwner(`
    CREATE FUNCTION refuse_${id}() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN IF NEW.id = '${id}' THEN RAISE EXCEPTION 'poison'; END IF; RETURN NEW; END $$`);
  await world.asOwner(`
    CREATE TRIGGER refuse_${id} BEFORE INSERT OR UPDATE ON subscriptions FOR EACH ROW EXECUTE FUNCTION refuse_${id}()`);
  return () => world.asOwner(`DROP TRIGGER refuse_${id} ON subscriptions`);
}

it('an event that cannot be applied does not delay others, ends as failed, and is applied by a replay once it can be', async () => {
  const [bad, good] = [uniqueId('sub'), uniqueId('sub')];
  const cure = await poison(bad);
  const [failing, fine] = [subscriptionEvent(bad), subscriptionEvent(good)];
  await Promise.all([world.enqueue(failing), world.enqueue(fine)]);
  await world.idle();
  expect(await world.outcomeOf(failing)).toBe('failed:processing_failed');
  expect(await world.outcomeOf(fine)).toBe('applied');
  expect(await replay(failing.id)).toMatchObject({
    outcome: 'failed',
    reason: 'processing_failed',
    changes: [],
  });
  await cure();
  const dry = await replay(failing.id, true);
  expect(dry).toMatchObject({ event_id: failing.id, dry_run: true, outcome: 'applied' });
  expect(dry.changes).toContainEqual({ path: 'event.status', before: 'failed', after: 'applied' });
  expect(dry.changes).toContainEqual({ path: `subscription.${bad}.status`, before: null, after: 'active' });
  expect(await world.outcomeOf(failing)).toBe('failed:processing_failed');
  expect((await replay(failing.id)).changes).toEqual(dry.changes);
  expect(await world.outcomeOf(failing)).toBe('applied');
}, 60_000);

it('a finished event turns out to be stale and changes nothing', async () => {
  const id = uniqueId('sub');
  const [first, second] = [
    subscriptionEvent(id),
    subscriptionEvent(id, { status: 'canceled' }, periodStart + 60),
  ];
  await world.deliver(first, second);
  const row = () =>
    world.database.subscription.findUniqueOrThrow({
      where: { id },
      omit: { rowVersion: true, updatedAt: true },
    });
  const before = await row();
  expect(await replay(first.id)).toMatchObject({ outcome: 'stale', changes: [] });
  expect(await replay(second.id)).toMatchObject({ changes: [] });
  expect(await row()).toEqual(before);
  expect((await world.ledger()).filter(({ eventId }) => eventId === first.id)).toMatchObject([
    { status: 'applied', attempts: 1 },
  ]);
}, 60_000);

it('replays the events of an object, or of a window of time', async () => {
  const id = uniqueId('sub');
  const start = periodStart + 1_000_000;
  const events = Array.from({ length: 60 }, (_, index) =>
    subscriptionEvent(id, { status: index === 59 ? 'canceled' : 'active' }, start + index),
  );
  for (const event of events) await world.enqueue(event);
  await world.idle();
  const order = { object_id: undefined, from: undefined, to: undefined, dry_run: false };
  const all = await requestReplay(world.database, { ...order, object_id: id }, actor);
  expect(replayResult.parse(await ended(all.runId))).toMatchObject({ events_replayed: 60, changes: [] });
  const window = { from: (start + 10) * 1000, to: (start + 20) * 1000, dry_run: true };
  const some = await requestReplay(world.database, { ...order, ...window }, actor);
  expect(replayResult.parse(await ended(some.runId))).toMatchObject({
    events_replayed: 10,
    outcomes: { stale: 10, failed: 0 },
    changes: [],
  });
}, 60_000);

it('an event without payload is replayed from what Stripe still lists; where it lists it no more, nothing is', async () => {
  // Stripe has the event of this customer, and none of the other subscription.
  await world.stripe.customers.create({ name: 'x' });
  const listed = await waitFor(
    async () => (await world.stripe.events.list({ type: 'customer.created', limit: 1 })).data[0] ?? null,
    { what: "Stripe's event" },
  );
  const subscriptionId = uniqueId('sub');
  const unlisted = subscriptionEvent(subscriptionId);
  await world.deliver({ ...listed }, unlisted);
  await world.database.$transaction((tx) => erasePayloads(tx, [listed.id, unlisted.id]));
  expect(await replay(listed.id)).toMatchObject({ outcome: 'ignored', reason: 'no_effect', changes: [] });

  const ordered = await requestEventReplay(world.database, { eventId: unlisted.id, dryRun: false }, actor);
  const where = { id: ordered?.runId ?? 'none' };
  const failed = await waitFor(
    async () => (await world.database.run.findFirst({ where: { ...where, status: 'failed' } })) ?? null,
    { what: 'the run' },
  );
  expect(failed.error).toBe('payload_expired');

  const order = { object_id: subscriptionId, from: undefined, to: undefined, dry_run: false };
  const all = await requestReplay(world.database, order, actor);
  expect(replayResult.parse(await ended(all.runId))).toMatchObject({
    events_replayed: 0,
    events_without_payload: 1,
  });
}, 60_000);

it('while Stripe cannot be asked for a payload, one replay fails at once and a run of many waits', async () => {
  const object_id = uniqueId('sub');
  const event = subscriptionEvent(object_id);
  await world.deliver(event);
  await world.database.$transaction((tx) => erasePayloads(tx, [event.id]));
  await world.control('/faults', { mode: '500', path: '/v1/events' });
  const ordered = await requestEventReplay(world.database, { eventId: event.id, dryRun: false }, actor);
  const order = { object_id, from: undefined, to: undefined, dry_run: false };
  const all = await requestReplay(world.database, order, actor);
  const reaches = (id: string, status: string, error: string) =>
    waitFor(() => world.database.run.findFirst({ where: { id, status, error } }), {
      what: error,
      timeoutMs: 20_000,
    });
  expect(await reaches(ordered?.runId ?? 'none', 'failed', 'stripe_unavailable')).toBeTruthy();
  expect(await reaches(all.runId, 'running', 'Stripe cannot be asked for a payload')).toBeTruthy();
  await world.control('/faults', { mode: 'none' });
}, 60_000);

it('a job is run again after nine crashes; after ten its run fails', async () => {
  await world.stopWorker();
  const logger = createLogger({
    service: 'test',
    level: 'error',
    format: 'json',
    destination: new PassThrough().resume(),
  });
  const redis = connectRedis({ url: world.redis.url, role: 'producer', logger });
  await waitFor(() => redis.status === 'ready', { what: 'Redis' });
  const events = [subscriptionEvent(uniqueId('sub')), subscriptionEvent(uniqueId('sub'))];
  for (const [index, event] of events.entries()) {
    await world.enqueue(event);
    const key = world.queue.bull.toKey(event.id);
    // BullMQ's count of workers that were lost while they ran the job.
    await redis.hset(key, { stc: String(9 + index) });
  }
  redis.disconnect();
  await world.startWorker();
  await world.idle();
  expect(await Promise.all(events.map((event) => world.outcomeOf(event)))).toEqual([
    'applied',
    'failed:crashed_repeatedly',
  ]);
}, 60_000);
