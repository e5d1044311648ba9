import { randomBytes } from 'node:crypto';
import { dayMs, minuteMs, monthOf } from '@billing/domain';
import {
  createErasureKeys,
  eraseUser,
  forgetInRuns,
  makePayloadMonth,
  readEventState,
  writeOutcomes,
} from '@billing/store';
import { periodStart, sessionObject, stripeEvent, subscriptionObject, waitFor } from '@billing/testing';
import { actor, startOwnersWorld, subscribed } from './support/owners-world.test-support.ts';
import type { OwnersWorld } from './support/owners-world.test-support.ts';
import { uniqueId } from './support/start-test-worker.test-support.ts';

const newKey = (): string => randomBytes(32).toString('base64');
const key = newKey();
const keys = createErasureKeys([key]);

let world: OwnersWorld;
beforeAll(async () => {
  world = await startOwnersWorld({ env: { ERASURE_KEY: key } });
});
afterAll(() => world.close());

const erase = (userId: string, projectId = 'shop', more: object = {}) =>
  eraseUser(world.database, keys, {
    order: { projectId, userId, reason: 'test', isAtStripe: false, ...more },
    actor,
  });

/** Nothing that began before the erasures is under way: their runs need not wait for it. */
async function runsEnd(): Promise<void> {
  const where = { kind: 'erase', status: 'running' };
  await world.database.run.updateMany({ where, data: { createdAt: new Date(Date.now() - minuteMs) } });
  await waitFor(async () => (await world.database.run.count({ where })) === 0, {
    what: 'the runs',
    timeoutMs: 25_000,
  });
}

const old = Math.floor(Date.now() / 1000) - 3_600;

/** A subscription that Stripe created an hour ago. */
const claimed = (id: string, metadata: Record<string, string>, more: object = {}) =>
  stripeEvent({
    type: 'customer.subscription.updated',
    object: {
      ...subscriptionObject({ id, customer: uniqueId('cus'), metadata, latestInvoice: null, ...more }),
      created: old,
    },
  });

test('a payload whose row has left the ledger goes too', async () => {
  const userId = uniqueId('user');
  const receivedAt = new Date(Date.now() - 40 * dayMs);
  await makePayloadMonth(world.database, monthOf(receivedAt.getTime()));
  const keep = (eventId: string, named: string) =>
    world.database.stripeEventPayload.create({
      data: { eventId, receivedAt, payload: { data: { object: { metadata: { user_id: named } } } } },
    });
  await keep('evt_left', userId);
  await keep('evt_of_another', uniqueId('user'));
  await erase(userId);
  await runsEnd();
  const left = await world.database.stripeEventPayload.findMany({ where: { receivedAt } });
  expect(left.map(({ eventId }) => eventId)).toEqual(['evt_of_another']);
});

test('a subscription of two projects stays for the other one, in later events too', async () => {
  const customer = uniqueId('cus');
  await world.map('shop', 'u1', customer);
  await world.map('second', 'u2', customer);
  const id = uniqueId('sub');
  const items = [
    { id: 'si_1', priceId: 'price_sub' },
    { id: 'si_2', priceId: 'price_second' },
  ];
  const canceled = { id, customer, items };
  await world.deliver(subscribed(canceled));
  expect([await world.featuresOf('u1'), await world.featuresOf('u2', 'second')]).toEqual([
    ['pro'],
    ['second_feature'],
  ]);
  await expect(erase('u1')).rejects.toMatchObject({ code: 'has_live_subscription' });
  await erase('u1', 'shop', { again: new Date() });
  expect([await world.featuresOf('u1'), await world.featuresOf('u2', 'second')]).toEqual([
    [],
    ['second_feature'],
  ]);
  const later = subscribed({ ...canceled, cancelAtPeriodEnd: true }, periodStart + 10);
  await world.deliver(later);
  expect(await world.outcomeOf(later)).toBe('applied');
  expect(await world.featuresOf('u2', 'second')).toEqual(['second_feature']);
  const row = await world.database.subscription.findUniqueOrThrow({ where: { id }, include: { user: true } });
  expect([row.user?.userId, row.cancelAtPeriodEnd]).toEqual(['u2', true]);
  expect(await world.database.objectOwner.count({ where: { objectId: id } })).toBe(0);
  expect(await world.database.user.count({ where: { userId: 'u1' } })).toBe(0);
});

test('what was decided before an erasure is not written after it, and is decided again', async () => {
  const userId = uniqueId('user');
  const noKeys = {
    eventIds: [],
    subscriptionIds: [],
    purchaseIds: [],
    customerIds: [],
    priceIds: [],
    userIds: [],
    projectIds: [],
  };
  const before = await readEventState(world.database, noKeys);
  await erase(userId);
  const event = {
    eventId: uniqueId('evt'),
    type: 'x',
    objectId: null,
    customerId: null,
    projectId: null,
    apiVersion: null,
    status: 'ignored' as const,
    reason: 'no_effect',
    awaits: null,
    created: Date.now(),
    receivedAt: Date.now(),
    processedAt: Date.now(),
    traceId: null,
    payload: { user_id: userId },
  };
  const write = (erasureMark: number) =>
    writeOutcomes(world.database, [{ kind: 'none', events: [event] }], { erasureMark });
  expect(await write(before.erasureMark)).toMatchObject({ isCurrent: false });
  expect(await world.database.stripeEvent.count({ where: { eventId: event.eventId } })).toBe(0);
  const { erasureMark } = await readEventState(world.database, noKeys);
  expect(await write(erasureMark)).toMatchObject({ isCurrent: true });
});

test('an erasure and events of the same user at the same time never leave the user behind', async () => {
  const named: string[] = [];
  for (let round = 0; round < 5; round += 1) {
    const userId = uniqueId('user');
    const events = Array.from({ length: 12 }, () =>
      claimed(uniqueId('sub'), { user_id: userId, project_id: 'shop' }, { status: 'canceled' }),
    );
    await Promise.all([...events.map((event) => world.enqueue(event)), erase(userId)]);
    await world.idle();
    expect(await world.database.user.count({ where: { userId } })).toBe(0);
    expect(await world.database.subscription.count({ where: { claimedUserId: userId } })).toBe(0);
    named.push(userId);
  }
  await runsEnd();
  for (const userId of named)
    expect(
      await world.database.stripeEvent.count({
        where: { payload: { path: ['data', 'object', 'metadata', 'user_id'], equals: userId } },
      }),
    ).toBe(0);
});

test('a user of the same id in another project is nobody’s business', async () => {
  await world.deliver(claimed('sub_same_1', { user_id: 'same', project_id: 'shop' }, { status: 'canceled' }));
  const other = claimed(
    'sub_same_2',
    { user_id: 'same', project_id: 'second' },
    { items: [{ priceId: 'price_second' }] },
  );
  await world.deliver(other);
  await erase('same');
  await runsEnd();
  expect(await world.featuresOf('same', 'second')).toEqual(['second_feature']);
  const row = await world.database.stripeEvent.findUniqueOrThrow({ where: { eventId: other.id } });
  expect(row.payload).not.toEqual({});
});

test('an event whose lookup tells its age is erased as well', async () => {
  const userId = uniqueId('user');
  await erase(userId);
  const hint = stripeEvent({
    type: 'checkout.session.completed',
    object: {
      ...sessionObject({
        id: uniqueId('cs'),
        mode: 'subscription',
        subscription: uniqueId('sub'),
        customer: null,
      }),
      created: old,
      metadata: {},
      client_reference_id: userId,
    },
  });
  await world.deliver(hint);
  expect(await world.outcomeOf(hint)).toBe('ignored:erased');
});

test('an erasure waits for the step of a run that may have seen the user', async () => {
  const { database } = world;
  const id = uniqueId('run');
  const at = (ms: number): Date => new Date(Date.now() + ms);
  await database.run.create({
    data: {
      id,
      kind: 'replay',
      requestedBy: 'tester',
      lockedBy: 'x',
      lockedUntil: at(60_000),
      progressAt: at(-60_000),
    },
  });
  const userId = uniqueId('user');
  const { result } = await erase(userId);
  const user = { projectId: 'shop', userId, runId: result.runId };
  expect(await forgetInRuns(database, user)).toEqual({ changed: 0, isHeld: true });
  const changes = { changes: [{ path: 'user_id', before: null, after: userId }] };
  await database.run.update({ where: { id }, data: { progressAt: at(60_000), result: changes } });
  expect(await forgetInRuns(database, user)).toEqual({ changed: 0, isHeld: true });
  await database.run.update({ where: { id }, data: { status: 'done' } });
  expect(await forgetInRuns(database, user)).toEqual({ changed: 1, isHeld: false });
  const { result: kept } = await database.run.findUniqueOrThrow({ where: { id } });
  expect(kept).toEqual({ changes: [{ path: 'user_id', before: null, after: 'erased' }] });
});

test('a worker without the key of a tombstone is not ready and takes no jobs, until it has the key', async () => {
  const lacking = await startOwnersWorld({ env: { ERASURE_KEY: newKey() } });
  try {
    const ready = async () => {
      const response = await fetch(`http://127.0.0.1:${lacking.worker().port}/ready`);
      const { checks } = (await response.json()) as { checks: Record<string, string> };
      return { status: response.status, erasure: checks['erasure'] };
    };
    await waitFor(async () => (await ready()).status === 200, { what: 'the worker' });
    expect((await ready()).erasure).toBeUndefined();
    await eraseUser(lacking.database, keys, {
      order: { projectId: 'shop', userId: 'gone', reason: 'test', isAtStripe: false },
      actor,
    });
    await waitFor(async () => (await ready()).status === 503, { what: 'the worker to notice' });
    expect((await ready()).erasure).toMatch(/^ERASURE_KEY lacks the key [0-9a-f]{16}$/);
    await waitFor(() => lacking.logs.some((line) => line.includes('erasure_key_missing')), {
      what: 'the line',
    });
    const event = claimed(uniqueId('sub'), { user_id: 'gone', project_id: 'shop' });
    await lacking.enqueue(event);
    await new Promise((resolve) => setTimeout(resolve, 500));
    expect(await lacking.outcomeOf(event)).toBeNull();
    await lacking.database.erasedUser.deleteMany();
    await waitFor(async () => (await lacking.outcomeOf(event)) === 'applied', {
      what: 'the event',
      timeoutMs: 20_000,
    });
    expect((await ready()).status).toBe(200);
  } finally {
    await lacking.close();
  }
});
