import { addMonths, dayMs, monthOf, queueNames, startOfMonth } from '@billing/domain';
import { createQueue } from '@billing/platform';
import { dropPayloadMonth, listPayloadMonths, makePayloadMonth } from '@billing/store';
import { periodStart, stripeEvent, subscriptionObject, waitFor } from '@billing/testing';
import { startTestWorker, uniqueId } from './support/start-test-worker.test-support.ts';
import type { TestWorker } from './support/start-test-worker.test-support.ts';

const keptDays = 40;
let world: TestWorker;

beforeEach(async () => {
  world = await startTestWorker({ isStarted: false, env: { EVENT_RETENTION_DAYS: String(keptDays) } });
});
afterEach(() => world.close());

const present = monthOf(Date.now());
const months = () => listPayloadMonths(world.database);

/** As if nobody had made months for a long time. */
async function keepOnly(kept: string[]): Promise<void> {
  for (const month of await months())
    if (!kept.includes(month))
      await world.asOwner(`DROP TABLE stripe_event_payloads_${month.replace('-', '_')}`);
}

async function monthsAhead(): Promise<number> {
  const text = await (await fetch(`http://127.0.0.1:${world.worker().port}/metrics`)).text();
  return Number(/^ledger_payload_months_ahead(?:{.*})? (.*)$/m.exec(text)?.[1]);
}

const subscriptionEvent = () =>
  stripeEvent({
    type: 'customer.subscription.updated',
    object: subscriptionObject({ id: uniqueId('sub') }),
    created: periodStart,
  });

it('a worker that starts after months makes this month and the next ones', async () => {
  await makePayloadMonth(world.database, addMonths(present, -4));
  await keepOnly([addMonths(present, -4)]);
  await world.startWorker();
  const wanted = [-4, 0, 1, 2, 3].map((count) => addMonths(present, count));
  await waitFor(async () => (await monthsAhead()) === 3, { what: 'the metric' });
  expect(await months()).toEqual(wanted);
});

it('events are applied although their month is missing, and although the job names an impossible moment', async () => {
  await world.startWorker();
  await waitFor(async () => (await monthsAhead()) === 3, { what: 'the metric' });
  await keepOnly([]);
  const [event, future, past] = [subscriptionEvent(), subscriptionEvent(), subscriptionEvent()];
  await world.enqueue(event);
  for (const [one, received_at] of [
    [future, '9999-12-31T23:59:59Z'],
    [past, '0001-01-01T00:00:00Z'],
  ] as const)
    await world.queue.add(
      { name: one.type, data: { event: one, received_at }, jobId: one.id },
      { deadlineMs: 5_000 },
    );
  await world.idle();
  expect(await Promise.all([event, future, past].map((one) => world.outcomeOf(one)))).toEqual(
    Array.from({ length: 3 }, () => 'applied'),
  );
  expect(await world.database.stripeEventPayload.count()).toBe(3);
});

it('the retention job drops the months that are over for EVENT_RETENTION_DAYS, whoever reads meanwhile', async () => {
  const ended = (days: number): string => monthOf(Date.now() - days * dayMs);
  const [old, older] = [addMonths(ended(keptDays), -1), '2019-02'];
  for (const month of [old, older]) await makePayloadMonth(world.database, month);
  const at = new Date(startOfMonth(old));
  for (const [eventId, status] of [
    ['evt_applied', 'applied'],
    ['evt_failed', 'failed'],
  ] as const) {
    const moments = { created: at, receivedAt: at, processedAt: at };
    await world.database.stripeEvent.create({
      data: { eventId, type: 'x', status, reason: 'x', ...moments },
    });
    await world.database.stripeEventPayload.create({ data: { eventId, receivedAt: at, payload: {} } });
  }
  await world.startWorker();
  let isReading = true;
  const reader = world.database.$transaction(
    async (tx) => {
      await tx.stripeEventPayload.count();
      await waitFor(() => !isReading, { what: 'the end of the reader', timeoutMs: 30_000 });
    },
    { timeout: 30_000 },
  );
  const maintenance = createQueue({
    url: world.redis.url,
    name: queueNames.maintenance,
    prefix: world.config.queuePrefix,
    logger: world.worker().deps.logger,
  });
  await waitFor(() => maintenance.ready(), { what: 'the queue' });
  await maintenance.add({ name: 'retention', data: {}, jobId: 'now' }, { deadlineMs: 5_000 });
  await waitFor(async () => (await world.database.stripeEvent.count()) === 1, { what: 'the rows' });
  expect(await months()).toEqual(expect.arrayContaining([old, older]));
  isReading = false;
  await reader;
  await waitFor(async () => !(await months()).includes(old), { what: 'the drop', timeoutMs: 20_000 });
  await maintenance.close();
  expect((await months())[0]).toBe(addMonths(present, -1));
  expect(await world.database.stripeEvent.findMany({ select: { eventId: true } })).toEqual([
    { eventId: 'evt_failed' },
  ]);
  expect(world.logs.join('')).toContain('"ledger_payloads_dropped"');
});

it('a worker whose clock runs ahead by years drops nothing that Postgres knows to be young', async () => {
  await expect(dropPayloadMonth(world.database, present)).rejects.toThrow('31 days');
  world.clock.offsetMs = 3_000 * dayMs;
  await world.startWorker();
  await waitFor(async () => (await months()).includes(monthOf(Date.now() + 3_000 * dayMs)), {
    what: 'months',
  });
  expect(await months()).toContain(present);
});

it('payloads that the previous version wrote are moved, and replayed as before', async () => {
  const event = subscriptionEvent();
  const at = new Date();
  await world.database.stripeEvent.create({
    data: {
      eventId: event.id,
      type: event.type,
      objectId: 'sub_1',
      status: 'failed',
      reason: 'processing_failed',
      created: at,
      receivedAt: at,
      payload: JSON.parse(JSON.stringify(event)),
    },
  });
  await world.startWorker();
  await waitFor(() => world.logs.join('').includes('"ledger_payloads_moved"'), { what: 'the move' });
  const row = await world.database.stripeEvent.findUniqueOrThrow({ where: { eventId: event.id } });
  const kept = await world.database.stripeEventPayload.findFirstOrThrow();
  expect([row.payload, kept.payload]).toEqual([null, JSON.parse(JSON.stringify(event))]);
});
