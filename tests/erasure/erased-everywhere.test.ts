import { randomBytes } from 'node:crypto';
import { freshState, runImport } from '@billing/sync';
import { waitFor } from '@billing/testing';
import request from 'supertest';
import { startWholeSystem } from '../journeys/whole-system.test-support.ts';
import type { WholeSystem } from '../journeys/whole-system.test-support.ts';
import * as shops from './shop.test-support.ts';
import { eventOf, idOf, newId, nowSeconds } from './shop.test-support.ts';
import type { Shop } from './shop.test-support.ts';
import { awaitRun, tracesOf } from './traces.test-support.ts';
import { usageTables } from './usage.test-support.ts';

const key = randomBytes(32).toString('base64');
const cacheSeconds = 1;

let system: WholeSystem;
beforeAll(async () => {
  system = await startWholeSystem({
    ERASURE_KEY: key,
    ENTITLEMENT_CACHE_TTL_SECONDS: String(cacheSeconds),
    EVENT_SWEEP_SECONDS: '86400',
  });
});
afterAll(() => system.close());

const versionOf = async ({ apiKey }: Shop, userId: string): Promise<number> => {
  const { body } = await request(system.url)
    .get('/api/v1/entitlements')
    .query({ user_id: userId })
    .set('authorization', `Bearer ${apiKey}`)
    .expect(200);
  return body.version;
};

/** Sweep, reconcile and replay, each of them over everything, and an import for each project. */
async function bringEverythingIn(users: readonly User[]): Promise<void> {
  const { database, maintenance } = system.deps;
  await database.eventSweep.deleteMany();
  await maintenance.add({ name: 'sweep', jobId: 'sweep-now', data: {} }, { deadlineMs: 5_000 });
  await waitFor(
    async () => (await database.eventSweep.findFirst({ where: { succeededAt: { not: null } } })) !== null,
    {
      what: 'the sweep',
      timeoutMs: 20_000,
    },
  );
  await shops.queueIsEmpty(system);
  const reconcile = await system.admin('post', '/reconcile', {}).expect(202);
  await awaitRun(system, reconcile.body.run_id);
  const replay = await system.admin('post', '/events/replay', {}).expect(202);
  await awaitRun(system, replay.body.run_id);
  await Promise.all(users.map(({ shop }) => importAll(shop)));
}

async function importAll({ projectId }: Shop): Promise<void> {
  const subject = { project: projectId, account: 'a', mapping: 'm', customers: 'c' };
  await runImport(
    {
      sync: system.worker.deps,
      projectId,
      isDryRun: false,
      progress: { at: () => undefined, say: () => undefined, end: () => undefined },
      pageSize: 100,
      state: freshState(subject),
      save: () => undefined,
    },
    { mapping: null, listed: new Map() },
  );
}

type Lived = Awaited<ReturnType<typeof shops.live>>;
type User = { userId: string; options: { stripe: boolean }; shop: Shop; lived: Lived; version: number };

const erase = ({ shop, userId, options }: Omit<User, 'lived' | 'version'>, more: object = {}) =>
  system.admin('post', '/users/erase', {
    project_id: shop.projectId,
    user_id: userId,
    reason: `${userId} asked for it`,
    ...options,
    ...more,
  });

const exported = async ({ projectId }: Shop, userId: string) =>
  (await system.admin('post', '/users/export', { project_id: projectId, user_id: userId }).expect(200)).body;

/** A user who is everywhere, and whose subscription has ended. */
async function prepare(userId: string, options: { stripe: boolean }): Promise<User> {
  const shop = await shops.openShop(system);
  const lived = await shops.live(system, shop, userId);
  expect((await erase({ shop, userId, options }).expect(409)).body.code).toBe('has_live_subscription');
  const tried = await erase({ shop, userId, options }, { dry_run: true }).expect(409);
  expect(tried.body.code).toBe('has_live_subscription');
  await system.stripe.subscriptions.cancel(idOf(lived.subscribed.subscription));
  await system.awaitFeatures(shop.apiKey, userId, ['gift', 'once']);
  return { userId, options, shop, lived, version: await versionOf(shop, userId) };
}

async function expectAllInExport({ shop, userId, lived }: User): Promise<void> {
  const { user } = await exported(shop, userId);
  expect(user).toMatchObject({
    user_id: userId,
    subscriptions: [{ id: idOf(lived.subscribed.subscription) }],
    grants: [{ feature_code: 'gift' }],
  });
  expect(user.purchases.length).toBeGreaterThan(0);
  expect(user.events.length).toBeGreaterThan(3);
  expect(user.events).toContainEqual(
    expect.objectContaining({ payload: expect.objectContaining({ data: expect.anything() }) }),
  );
  expect(user.audit.length).toBeGreaterThan(2);
  const rows = Object.entries<object[]>(user.usage).map(([table, { length }]) => [table, length > 0]);
  expect(rows).toEqual(usageTables.map((table) => [table, true]));
  expect(user.webhooks).toMatchObject({
    webhook_states: [{ user_id: userId }],
    webhook_messages: expect.arrayContaining([
      expect.objectContaining({ full: expect.stringContaining('monthly') }),
    ]),
    webhook_deliveries: expect.arrayContaining([expect.objectContaining({ status: expect.any(String) })]),
  });
}

/** Tries it, requests it and waits for its end. */
async function eraseAndWait(user: User): Promise<void> {
  const { userId, options, shop } = user;
  expect((await tracesOf(system, userId)).length).toBeGreaterThan(20);
  const { body: tried } = await erase(user, { dry_run: true }).expect(200);
  expect(tried.affected_users).toBe(1);
  expect(tried.changes).toContainEqual({ path: 'grants', before: 1, after: 0 });
  expect(await versionOf(shop, userId)).toBe(user.version);
  const { body } = await erase(user).expect(202);
  // While it runs the run holds no id either.
  const [running] = await system.deps.database.$queryRaw<{ row: string }[]>`
    SELECT r::text AS row FROM public.runs r WHERE id = ${body.run_id}`;
  expect(running?.row).toContain(body.run_id);
  expect(running?.row).not.toContain(userId);
  expect(await system.features(shop.apiKey, userId)).toEqual([]);
  expect(await awaitRun(system, body.run_id)).toMatchObject({
    grants: 1,
    idempotency_keys: 2,
    runs: 1,
    customers: 2,
    customers_deleted_at_stripe: options.stripe ? 2 : 0,
    customers_left_at_stripe: [],
  });
}

const expectNoTraces = async ({ userId }: User): Promise<void> => {
  expect(await tracesOf(system, userId)).toEqual([]);
  expect(await tracesOf(system, encodeURIComponent(userId))).toEqual([]);
};

/** Events that come late, or were never here. */
async function deliverLate({ userId, lived, shop }: User): Promise<object> {
  const { paid, contested } = lived;
  const subscription = await system.stripe.subscriptions.retrieve(idOf(lived.subscribed.subscription));
  const late = eventOf('customer.subscription.updated', {
    ...subscription,
    status: 'active',
    ended_at: null,
  });
  const session = { ...paid, customer: null, created: nowSeconds() - 3_600 };
  const never = eventOf('checkout.session.completed', {
    ...session,
    id: 'cs_never',
    payment_intent: newId('pi'),
  });
  const hint = eventOf('checkout.session.completed', {
    ...session,
    id: newId('cs'),
    payment_intent: newId('pi'),
    metadata: {},
    client_reference_id: userId,
  });
  for (const event of [late, never, hint]) await shops.deliver(system, event);
  for (const event of [late, never, hint])
    expect(await shops.outcomeOf(system, event.id)).toMatchObject({
      status: 'ignored',
      reason: 'erased',
      payload: {},
    });
  await shops.deliver(system, eventOf('customer.subscription.updated', contested));
  await shops.queueIsEmpty(system);
  expect(await system.features(shop.apiKey, 'bob')).toEqual(['calls', 'monthly', 'seats']);
  return late;
}

async function expectUnknown(user: User): Promise<void> {
  const { userId, shop, version } = user;
  expect(await system.features(shop.apiKey, userId)).toEqual([]);
  expect(await versionOf(shop, userId)).toBeLessThan(version);
  const { body } = await system.admin('get', `/users?query=${encodeURIComponent(userId)}`).expect(200);
  expect(body.data).toEqual([]);
  expect(await exported(shop, userId)).toEqual({ user: null });
  // The cache remembers the question itself, for a moment.
  await waitFor(async () => (await tracesOf(system, userId)).length === 0, {
    what: 'the end of the cache entry',
    timeoutMs: cacheSeconds * 1000 + 3_000,
  });
}

test('an erased user is found nowhere, no late event brings the user back, a checkout does', async () => {
  const users = await Promise.all([
    prepare('ada.lovelace+billing@example.com', { stripe: false }),
    // No filter of the log knows this one.
    prepare('user-ada-7f3a9b', { stripe: true }),
  ]);
  for (const user of users) await expectAllInExport(user);
  await Promise.all(users.map(eraseAndWait));
  for (const user of users) await expectNoTraces(user);

  const late = await Promise.all(users.map(deliverLate));
  await bringEverythingIn(users);
  for (const user of users) await expectNoTraces(user);
  for (const user of users) await expectUnknown(user);

  for (const [index, { shop, userId, version }] of users.entries()) {
    await shops.buy(system, { shop, userId, what: 'once' });
    await system.awaitFeatures(shop.apiKey, userId, ['once']);
    expect(await versionOf(shop, userId)).toBeGreaterThan(version);
    const again = { ...late[index], id: newId('evt') };
    await shops.deliver(system, again);
    expect(await shops.outcomeOf(system, again.id)).toMatchObject({ status: 'ignored', reason: 'erased' });
  }
  await bringEverythingIn(users);
  for (const { shop, userId } of users) expect(await system.features(shop.apiKey, userId)).toEqual(['once']);
}, 120_000);
