import { randomBytes } from 'node:crypto';
import { freshState, runImport } from '@billing/sync';
import { waitFor } from '@billing/testing';
import { Stripe } from 'stripe';
import request from 'supertest';
import { testWebhookSecret } from '../../apps/api/src/testing/start-test-api.test-support.ts';
import { startWholeSystem } from '../journeys/whole-system.test-support.ts';
import type { WholeSystem } from '../journeys/whole-system.test-support.ts';
import { awaitRun, tracesOf } from './traces.test-support.ts';

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

const stripe = new Stripe('sk_test_x');

/** Delivers an event as Stripe does. */
async function deliver(event: object): Promise<void> {
  const payload = JSON.stringify(event);
  const signature = stripe.webhooks.generateTestHeaderString({ payload, secret: testWebhookSecret });
  await request(system.url)
    .post('/api/v1/webhooks/stripe')
    .set('content-type', 'application/json')
    .set('stripe-signature', signature)
    .send(payload)
    .expect(200);
}

const ledgerRow = (eventId: string) => system.deps.database.stripeEvent.findUnique({ where: { eventId } });

async function settled(
  eventId: string,
): Promise<{ status: string; reason: string | null; payload: unknown }> {
  await waitFor(async () => (await ledgerRow(eventId)) !== null, { what: `the event ${eventId}` });
  const row = await ledgerRow(eventId);
  if (row === null) throw new Error('the row is gone');
  return row;
}

async function queueIsEmpty(): Promise<void> {
  await waitFor(
    async () => {
      const { waiting = 0, active = 0, prioritized = 0 } = await system.deps.stripeEvents.counts();
      return waiting + active + prioritized === 0;
    },
    { what: 'the queue' },
  );
}

const nowSeconds = (): number => Math.floor(Date.now() / 1000);
const newId = (prefix: string): string => `${prefix}_${randomBytes(8).toString('hex')}`;

const eventOf = (type: string, object: object, created = nowSeconds()) => ({
  id: newId('evt'),
  object: 'event',
  type,
  created,
  livemode: false,
  data: { object },
});

type Shop = { projectId: string; apiKey: string; monthly: string; once: string; stripeMonthly: string };

async function openShop(): Promise<Shop> {
  const { projectId, apiKey } = await system.createProject();
  const monthly = await system.sell(projectId, { featureCodes: ['monthly'] });
  const once = await system.sell(projectId, { featureCodes: ['once'], interval: 'one_time' });
  return {
    projectId,
    apiKey,
    monthly: monthly.priceId,
    once: once.priceId,
    stripeMonthly: monthly.stripePriceId,
  };
}

/** Buys and pays, under an idempotency key that holds the user's id. */
async function buy({ apiKey, monthly, once }: Shop, userId: string, what: 'monthly' | 'once') {
  const order = system.order(what === 'monthly' ? monthly : once, {
    user_id: userId,
    mode: what === 'monthly' ? 'subscription' : 'payment',
    success_url: `https://app.example.com/done?user=${encodeURIComponent(userId)}`,
  });
  const idempotencyKey = `${what}-${encodeURIComponent(userId)}-${randomBytes(3).toString('hex')}`;
  const { body } = await system.checkout(apiKey, order, { 'idempotency-key': idempotencyKey }).expect(200);
  await system.pay(body.session_id);
  return system.stripe.checkout.sessions.retrieve(body.session_id);
}

/** A user with sources of all kinds, and whose id is wherever it can be. */
async function live(shop: Shop, userId: string) {
  const { projectId, apiKey } = shop;
  const database = system.deps.database;
  const [subscribed, paid] = [await buy(shop, userId, 'monthly'), await buy(shop, userId, 'once')];
  await system
    .admin('post', '/grant', {
      project_id: projectId,
      user_id: userId,
      feature_code: 'gift',
      reason: `a gift to ${userId}, who asked`,
    })
    .expect(201);
  await system.awaitFeatures(apiKey, userId, ['gift', 'monthly', 'once']);
  // A customer that an operator mapped.
  const mapped = await system.stripe.customers.create({
    metadata: { user_id: userId, project_id: projectId },
  });
  await system
    .admin('post', `/projects/${projectId}/customers`, { user_id: userId, stripe_customer_id: mapped.id })
    .expect(201);
  // Somebody else's subscription, whose metadata names this user: our mapping beats it.
  const others = await system.stripe.customers.create({});
  await system
    .admin('post', `/projects/${projectId}/customers`, { user_id: 'bob', stripe_customer_id: others.id })
    .expect(201);
  const contested = {
    id: newId('sub'),
    object: 'subscription',
    created: nowSeconds() - 60,
    customer: others.id,
    status: 'active',
    metadata: { user_id: userId, project_id: projectId },
    items: {
      data: [
        {
          id: newId('si'),
          price: { id: shop.stripeMonthly },
          quantity: 1,
          current_period_start: nowSeconds() - 60,
          current_period_end: nowSeconds() + 86_400,
        },
      ],
    },
  };
  await deliver(eventOf('customer.subscription.updated', contested));
  // One of a price that nobody knows, without a project, which waits, and a checkout that came to nothing.
  const waiting = eventOf('customer.subscription.updated', {
    ...contested,
    id: newId('sub'),
    customer: newId('cus'),
    metadata: { user_id: userId },
    items: { data: [{ id: 'si_x', price: { id: 'price_unknown' }, quantity: 1 }] },
  });
  await deliver(waiting);
  const expired = eventOf('checkout.session.expired', {
    id: newId('cs'),
    object: 'checkout.session',
    created: nowSeconds() - 60,
    mode: 'payment',
    payment_status: 'unpaid',
    client_reference_id: userId,
    metadata: {},
  });
  await deliver(expired);
  await queueIsEmpty();
  expect(await settled(waiting.id)).toMatchObject({ status: 'quarantined' });
  // A run that reports the user, somebody who looked, and an event that only a newer version knows.
  await database.run.create({
    data: {
      id: newId('run'),
      kind: 'reconcile',
      status: 'done',
      requestedBy: 'tester',
      result: { drift: [{ kind: 'x', object_id: 'sub_1', before: { user_id: userId }, after: null }] },
      finishedAt: new Date(),
    },
  });
  await system.admin('get', `/users?query=${encodeURIComponent(userId)}`).expect(200);
  await system.admin('get', `/users/${projectId}/${encodeURIComponent(userId)}`).expect(200);
  const unknown = eventOf('made.up', {
    id: 'x_1',
    object: 'x',
    metadata: { user_id: userId, project_id: projectId },
  });
  await system.deps.stripeEvents.add(
    {
      name: unknown.type,
      jobId: unknown.id,
      data: { event: unknown, received_at: new Date().toISOString() },
    },
    { deadlineMs: 5_000 },
  );
  await waitFor(async () => (await system.deps.stripeEvents.counts())['delayed'] !== 0, {
    what: 'the job to wait',
  });
  return { subscribed, paid, contested, waiting, unknown, mapped };
}

const idOf = (reference: string | { id: string } | null): string =>
  typeof reference === 'string' ? reference : (reference?.id ?? '');

const versionOf = async ({ apiKey }: Shop, userId: string): Promise<number> => {
  const { body } = await request(system.url)
    .get('/api/v1/entitlements')
    .query({ user_id: userId })
    .set('authorization', `Bearer ${apiKey}`)
    .expect(200);
  return body.version;
};

/** Sweep, reconcile, replay and import, each of them over everything. */
async function bringEverythingIn({ projectId }: Shop): Promise<void> {
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
  await queueIsEmpty();
  const reconcile = await system.admin('post', '/reconcile', {}).expect(202);
  await awaitRun(system, reconcile.body.run_id);
  const replay = await system.admin('post', '/events/replay', {}).expect(202);
  await awaitRun(system, replay.body.run_id);
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

type Lived = Awaited<ReturnType<typeof live>>;
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
  const shop = await openShop();
  const lived = await live(shop, userId);
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
  expect(user.audit.length).toBeGreaterThan(2);
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
    jobs: 1,
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
  for (const event of [late, never, hint]) await deliver(event);
  for (const event of [late, never, hint])
    expect(await settled(event.id)).toMatchObject({ status: 'ignored', reason: 'erased', payload: {} });
  await deliver(eventOf('customer.subscription.updated', contested));
  await queueIsEmpty();
  expect(await system.features(shop.apiKey, 'bob')).toEqual(['monthly']);
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
  const users = [
    await prepare('ada.lovelace+billing@example.com', { stripe: false }),
    // No filter of the log knows this one.
    await prepare('user-ada-7f3a9b', { stripe: true }),
  ];
  for (const user of users) await expectAllInExport(user);
  await Promise.all(users.map(eraseAndWait));
  for (const user of users) await expectNoTraces(user);

  const late = await Promise.all(users.map(deliverLate));
  for (const { shop } of users) await bringEverythingIn(shop);
  for (const user of users) await expectNoTraces(user);
  for (const user of users) await expectUnknown(user);

  for (const [index, { shop, userId, version }] of users.entries()) {
    await buy(shop, userId, 'once');
    await system.awaitFeatures(shop.apiKey, userId, ['once']);
    expect(await versionOf(shop, userId)).toBeGreaterThan(version);
    const again = { ...late[index], id: newId('evt') };
    await deliver(again);
    expect(await settled(again.id)).toMatchObject({ status: 'ignored', reason: 'erased' });
  }
  for (const { shop, userId } of users) {
    await bringEverythingIn(shop);
    expect(await system.features(shop.apiKey, userId)).toEqual(['once']);
  }
}, 120_000);
