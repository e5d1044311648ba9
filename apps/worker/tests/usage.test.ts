import { randomBytes } from 'node:crypto';
import { dayMs, minuteMs } from '@billing/domain';
import {
  createErasureKeys,
  deleteExpiredUsage,
  dropUsageWeek,
  eraseUser,
  listUsageWeeks,
  makeUsageWeek,
  weekOf,
} from '@billing/store';
import { dropExpiredUsage, makeUsageWeeks } from '@billing/sync';
import { waitFor } from '@billing/testing';
import { startTestWorker, uniqueId } from './support/start-test-worker.test-support.ts';
import type { TestWorker } from './support/start-test-worker.test-support.ts';

const keptDays = 30;
const seriesDays = 200;
const erasureKey = randomBytes(32).toString('base64');
let world: TestWorker;

beforeAll(async () => {
  world = await startTestWorker({
    env: {
      USAGE_EVENT_RETENTION_DAYS: String(keptDays),
      USAGE_SERIES_RETENTION_DAYS: String(seriesDays),
      ERASURE_KEY: erasureKey,
    },
  });
  await world.database.feature.create({ data: { projectId: 'shop', featureCode: 'calls', kind: 'metered' } });
});
afterAll(() => world.close());

/** A new user who has so much of `calls`. */
async function userWith(amount: number): Promise<string> {
  const userId = uniqueId('user');
  const { id: userRef } = await world.database.user.create({ data: { projectId: 'shop', userId } });
  await world.database.grant.create({
    data: {
      id: uniqueId('grant'),
      userRef,
      featureCode: 'calls',
      amount: BigInt(amount),
      validFrom: new Date(Date.now() - 100 * dayMs),
      reason: 'test',
      grantedBy: 'tester',
      grantedAt: new Date(),
    },
  });
  return userId;
}

const committer = () => world.worker().deps.usage.committer;
const within = () => ({ endsAt: performance.now() + 5_000 });

/** A job as the API adds it. */
const enqueue = (userId: string, request: object, receivedAt = Date.now()) =>
  world.worker().deps.usageEvents.add(
    {
      name: 'usage',
      data: {
        project_id: 'shop',
        request: { user_id: userId, feature_code: 'calls', mode: 'record', ...request },
        received_at: new Date(receivedAt).toISOString(),
      },
    },
    { deadlineMs: 2_000 },
  );

const isIdle = async () =>
  Object.values(await world.worker().deps.usageEvents.counts()).every((count) => count === 0);

test('queued usage is applied once, as of when it was received; what is refused is listed', async () => {
  const userId = await userWith(10);
  const receivedAt = Date.now() - 5 * minuteMs;
  const eventId = uniqueId('event');
  await enqueue(userId, { event_id: eventId, quantity: 3 }, receivedAt);
  await enqueue(userId, { event_id: eventId, quantity: 3 }, receivedAt + 1);
  await enqueue(userId, { event_id: eventId, quantity: 4 }, receivedAt);
  await waitFor(isIdle, { what: 'the queue' });
  const events = await world.database.usageEvent.findMany({ where: { userId } });
  expect(events).toHaveLength(1);
  const quantity = events[0]?.quantity;
  expect([3n, 4n]).toContain(quantity);
  expect(events[0]?.happenedAt.getTime()).toBeLessThanOrEqual(receivedAt + 1);
  const refusals = await world.database.usageRefusal.findMany({ where: { userId } });
  expect(refusals).toMatchObject([{ eventId, code: 'event_conflict', featureCode: 'calls' }]);
  expect(world.logs.join('')).toContain('queued_usage_refused');
  // The caller sends it again without knowing: the same body is a duplicate.
  const again = await committer().submit(
    {
      projectId: 'shop',
      userId,
      featureCode: 'calls',
      command: {
        kind: 'use',
        eventId,
        quantity: Number(quantity),
        mode: 'record',
        timestamp: null,
        corrects: null,
        properties: null,
      },
    },
    within(),
  );
  expect(again).toMatchObject({ kind: 'event', answer: { duplicate: true } });
});

test('usage that was queued before its user was erased brings nobody back', async () => {
  const userId = await userWith(10);
  const order = { projectId: 'shop', userId, reason: 'test', isAtStripe: false };
  const before = Date.now() - minuteMs;
  await eraseUser(world.database, createErasureKeys([erasureKey]), {
    order,
    actor: { name: 'tester', requestId: null },
  });
  await enqueue(userId, { event_id: uniqueId('event'), quantity: 3 }, before);
  await waitFor(isIdle, { what: 'the queue' });
  expect(await world.database.usageState.count({ where: { userId } })).toBe(0);
  expect(await world.database.usageRefusal.count({ where: { userId } })).toBe(0);
  // Of a user who came again, it counts.
  await enqueue(userId, { event_id: uniqueId('event'), quantity: 4 }, Date.now() + 1_000);
  await waitFor(isIdle, { what: 'the queue' });
  expect(await world.database.usageEvent.findMany({ where: { userId } })).toMatchObject([{ quantity: 4n }]);
});

test('a job that nobody understands is logged and gone', async () => {
  await world
    .worker()
    .deps.usageEvents.add({ name: 'usage', data: { nonsense: true } }, { deadlineMs: 2_000 });
  await waitFor(isIdle, { what: 'the queue' });
  expect(world.logs.join('')).toContain('job_not_understood');
});

test('a reservation that is due is released, although nobody asks for anything', async () => {
  const userId = await userWith(10);
  const account = { projectId: 'shop', userId, featureCode: 'calls' };
  const reservationId = uniqueId('r');
  await committer().submit(
    {
      ...account,
      command: { kind: 'reserve', reservationId, quantity: 4, expiresInMs: 1_000, onExpiry: 'release' },
    },
    within(),
  );
  const key = { projectId_reservationId: { projectId: 'shop', reservationId } };
  await waitFor(
    async () =>
      (await world.database.usageReservation.findUnique({ where: key }))?.state === 'expired' || undefined,
    { what: 'the end of the reservation', timeoutMs: 15_000 },
  );
  const state = await world.database.usageState.findUniqueOrThrow({
    where: { projectId_userId_featureCode: account },
  });
  expect(state).toMatchObject({ openHolds: 0, holdsDueAt: null, buckets: [{ held: 0 }] });
});

test('weeks are made ahead, and dropped when what they hold is no longer kept', async () => {
  const { deps } = world.worker();
  const present = weekOf(Date.now());
  await waitFor(async () => (await listUsageWeeks(world.database)).length >= 7, { what: 'the weeks' });
  const old = weekOf(Date.now() - (keptDays + 14) * dayMs);
  const kept = weekOf(Date.now() - (keptDays - 7) * dayMs);
  await makeUsageWeek(world.database, old);
  await makeUsageWeek(world.database, kept);
  await dropExpiredUsage(deps);
  const weeks = await listUsageWeeks(world.database);
  expect(weeks).toContain(kept);
  expect(weeks).toContain(present);
  expect(weeks).not.toContain(old);
  await expect(dropUsageWeek(world.database, present)).rejects.toThrow('a day after its end');
});

test('how many weeks are ahead is measured', async () => {
  await makeUsageWeeks(world.worker().deps);
  expect(await world.worker().deps.metrics.registry.metrics()).toMatch(/^usage_partitions_ahead [5-9]$/m);
});

test('the series goes back as far as it is kept', async () => {
  const userId = uniqueId('user');
  const slot = (days: number) => ({
    projectId: 'shop',
    userId,
    featureCode: 'calls',
    start: new Date(Date.now() - days * dayMs),
    quantity: 1n,
    overage: 0n,
  });
  await world.database.usageSlot.createMany({ data: [slot(1), slot(seriesDays - 1), slot(seriesDays + 1)] });
  await dropExpiredUsage(world.worker().deps);
  expect(await world.database.usageSlot.count({ where: { userId } })).toBe(2);
  const { settings } = world.worker().deps.usage;
  // Meters are told what it says of an hour: that much stays, however short it is to be.
  await deleteExpiredUsage(world.database, { now: Date.now(), settings: { ...settings, seriesMs: 0 } });
  expect(await world.database.usageSlot.count({ where: { userId } })).toBe(1);
});

test('ids are forgotten with their events', async () => {
  const at = new Date(Date.now() - (keptDays + 1) * dayMs);
  const row = { projectId: 'shop', userId: 'u', featureCode: 'calls', usageSeq: 1n };
  await world.database.usageEventId.createMany({
    data: [
      { ...row, eventId: 'old', recordedAt: at },
      { ...row, eventId: 'new', recordedAt: new Date() },
    ],
  });
  const { settings } = world.worker().deps.usage;
  expect(await deleteExpiredUsage(world.database, { now: Date.now(), settings })).toBe(false);
  const left = await world.database.usageEventId.findMany({ where: { userId: 'u' } });
  expect(left.map(({ eventId }) => eventId)).toEqual(['new']);
});
