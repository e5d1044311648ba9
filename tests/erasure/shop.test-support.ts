import { randomBytes } from 'node:crypto';
import { waitFor } from '@billing/testing';
import { Stripe } from 'stripe';
import request from 'supertest';
import { testWebhookSecret } from '../../apps/api/src/testing/start-test-api.test-support.ts';
import type { WholeSystem } from '../journeys/whole-system.test-support.ts';
import { meter, useAll } from './usage.test-support.ts';

const stripe = new Stripe('sk_test_x');

/** Delivers an event as Stripe does. */
export async function deliver(system: WholeSystem, event: object): Promise<void> {
  const payload = JSON.stringify(event);
  const signature = stripe.webhooks.generateTestHeaderString({ payload, secret: testWebhookSecret });
  await request(system.url)
    .post('/api/v1/webhooks/stripe')
    .set('content-type', 'application/json')
    .set('stripe-signature', signature)
    .send(payload)
    .expect(200);
}

const ledgerRow = (system: WholeSystem, eventId: string) =>
  system.deps.database.stripeEvent.findUnique({ where: { eventId } });

export async function outcomeOf(
  system: WholeSystem,
  eventId: string,
): Promise<{ status: string; reason: string | null; payload: unknown }> {
  await waitFor(async () => (await ledgerRow(system, eventId)) !== null, { what: `the event ${eventId}` });
  const row = await ledgerRow(system, eventId);
  if (row === null) throw new Error('the row is gone');
  return row;
}

export async function queueIsEmpty(system: WholeSystem): Promise<void> {
  await waitFor(
    async () => {
      const { waiting = 0, active = 0, prioritized = 0 } = await system.deps.stripeEvents.counts();
      return waiting + active + prioritized === 0;
    },
    { what: 'the queue' },
  );
}

export const nowSeconds = (): number => Math.floor(Date.now() / 1000);
export const newId = (prefix: string): string => `${prefix}_${randomBytes(8).toString('hex')}`;

export const eventOf = (type: string, object: object, created = nowSeconds()) => ({
  id: newId('evt'),
  object: 'event',
  type,
  created,
  livemode: false,
  data: { object },
});

export type Shop = {
  projectId: string;
  apiKey: string;
  monthly: string;
  once: string;
  stripeMonthly: string;
};

export async function openShop(system: WholeSystem): Promise<Shop> {
  const { projectId, apiKey } = await system.createProject();
  // A product that hears of everything, and answers nothing.
  const endpoint = { url: 'http://127.0.0.1:1/' };
  await system.admin('post', `/projects/${projectId}/webhook-endpoints`, endpoint).expect(201);
  const monthly = await system.sell(projectId, { featureCodes: ['monthly'] });
  await meter(system, { projectId, productId: monthly.productId });
  const once = await system.sell(projectId, { featureCodes: ['once'], interval: 'one_time' });
  return {
    projectId,
    apiKey,
    monthly: monthly.priceId,
    once: once.priceId,
    stripeMonthly: monthly.stripePriceId,
  };
}

type Purchase = { shop: Shop; userId: string; what: 'monthly' | 'once' };

/** Buys and pays, under an idempotency key that holds the user's id. */
export async function buy(system: WholeSystem, { shop, userId, what }: Purchase) {
  const { apiKey, monthly, once } = shop;
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
export async function live(system: WholeSystem, shop: Shop, userId: string) {
  const { projectId, apiKey } = shop;
  const database = system.deps.database;
  const [subscribed, paid] = [
    await buy(system, { shop, userId, what: 'monthly' }),
    await buy(system, { shop, userId, what: 'once' }),
  ];
  await system
    .admin('post', '/grant', {
      project_id: projectId,
      user_id: userId,
      feature_code: 'gift',
      reason: `a gift to ${userId}, who asked`,
    })
    .expect(201);
  await system.awaitFeatures(apiKey, userId, ['calls', 'gift', 'monthly', 'once', 'seats']);
  await useAll(system, shop, userId);
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
  await deliver(system, eventOf('customer.subscription.updated', contested));
  // One of a price that nobody knows, without a project, which waits, and a checkout that came to nothing.
  const waiting = eventOf('customer.subscription.updated', {
    ...contested,
    id: newId('sub'),
    customer: newId('cus'),
    metadata: { user_id: userId },
    items: { data: [{ id: 'si_x', price: { id: 'price_unknown' }, quantity: 1 }] },
  });
  await deliver(system, waiting);
  const expired = eventOf('checkout.session.expired', {
    id: newId('cs'),
    object: 'checkout.session',
    created: nowSeconds() - 60,
    mode: 'payment',
    payment_status: 'unpaid',
    client_reference_id: userId,
    metadata: {},
  });
  await deliver(system, expired);
  await queueIsEmpty(system);
  expect(await outcomeOf(system, waiting.id)).toMatchObject({ status: 'quarantined' });
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

export const idOf = (reference: string | { id: string } | null): string =>
  typeof reference === 'string' ? reference : (reference?.id ?? '');
