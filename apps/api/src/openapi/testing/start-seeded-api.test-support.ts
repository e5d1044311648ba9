import { dayMs } from '@billing/domain';
import { changeUser, publishInvalidations } from '@billing/store';
import { waitFor } from '@billing/testing';
import { giveGrant, giveSubscription } from '../../testing/sources.test-support.ts';
import { startCommerce, uniqueId } from '../../testing/start-commerce.test-support.ts';
import type { Commerce } from '../../testing/start-commerce.test-support.ts';
import { subscribe } from '../../testing/subscribe.test-support.ts';
import { testAdmin } from '../../testing/start-test-api.test-support.ts';
import {
  answerReplays,
  seedEvents,
  seedMeterHour,
  seedRevenueDay,
  seedRuns,
  seedSample,
  seedSessions,
  seedUsageRefusal,
  seedWebhookMessages,
} from './seed-records.test-support.ts';

export const metricsToken = 'metrics-token-of-the-test';

export type Known = Record<string, readonly string[]>;
export type SeededApi = Awaited<ReturnType<typeof startSeededApi>>;

/** A user with a feature of every source; answers about them show all that an answer can hold. */
async function seedUser(api: Commerce, projectId: string, prices: { monthly: string; once: string }) {
  const { database } = api.deps;
  const owner = { projectId, userId: uniqueId('user') };
  const subscribed = await giveSubscription(database, owner, { stripePriceId: prices.monthly });
  const granted = await giveGrant(database, owner, {
    featureCode: 'by_hand',
    validTo: new Date(Date.now() + dayMs),
  });
  const bought = await changeUser(database, owner, async (tx, userRef) => {
    const id = uniqueId('pi');
    const paid = { status: 'paid', paidAt: new Date(), sessionId: uniqueId('cs') };
    await tx.purchase.create({ data: { id, userRef, ...paid } });
    await tx.purchaseItem.create({ data: { purchaseId: id, stripePriceId: prices.once, quantity: 1n } });
    return { result: id, changed: true };
  });
  await publishInvalidations(api.deps, [...subscribed.pending, ...granted.pending, ...bought.pending]);
  const customerId = (await api.stripe.customers.create({})).id;
  await api.stripe.invoices.create({ customer: customerId });
  await api
    .admin('post', `/projects/${projectId}/customers`, {
      user_id: owner.userId,
      stripe_customer_id: customerId,
    })
    .expect(201);
  const subscribedId = await subscribe(api, {
    projectId,
    userId: owner.userId,
    stripePriceIds: [prices.monthly],
    customer: customerId,
  });
  const ids = { subscriptionId: subscribed.result, subscribedId, purchaseId: bought.result, customerId };
  return { userId: owner.userId, ...ids, grantId: granted.result };
}

/** A metered feature and a limit, which the product gives with everything that an entry can say. */
async function sellUsage(api: Commerce, projectId: string, productId: string): Promise<void> {
  const kinds = { api_calls: { kind: 'metered', thresholds: [80] }, seats: { kind: 'limit', counted: true } };
  for (const [code, described] of Object.entries(kinds))
    await api
      .admin('post', `/projects/${projectId}/features`, { feature_code: code, ...described })
      .expect(201);
  const features = [
    { feature_code: 'api_calls', allowance: 1_000, period: 'month', rollover: { periods: 2 } },
    { feature_code: 'seats', limit: 5, value: { regions: ['eu'] } },
  ];
  await api.admin('patch', `/projects/${projectId}/products/${productId}`, { features }).expect(200);
}

/** Some usage, and reservations that are open; returns their ids. */
async function useAndReserve(
  api: Commerce,
  { apiKey, userId }: { apiKey: string; userId: string },
): Promise<string[]> {
  const send = (path: string, body: object) =>
    waitFor(
      async () => {
        const { status } = await api
          .http()
          .post(`/api/v1/usage${path}`)
          .set('Authorization', `Bearer ${apiKey}`)
          .send({ user_id: userId, feature_code: 'api_calls', quantity: 20, ...body });
        return status === 200;
      },
      { what: 'usage to be taken, which a busy machine refuses' },
    );
  await send('', { event_id: uniqueId('used') });
  const ids = [uniqueId('held'), uniqueId('held'), uniqueId('held')];
  for (const id of ids) await send('/reservations', { reservation_id: id });
  return ids;
}

/** Endpoints, which no message ever reaches, and messages to the first; returns their ids. */
async function makeWebhooks(
  api: Commerce,
  { projectId, userId }: { projectId: string; userId: string },
): Promise<Known> {
  const make = async (): Promise<string> => {
    const url = 'http://127.0.0.1:1/';
    const { body } = await api.admin('post', `/projects/${projectId}/webhook-endpoints`, { url }).expect(201);
    return body.endpoint_id;
  };
  // Some calls delete one.
  const endpointIds = [await make(), await make(), await make(), await make(), await make(), await make()];
  const [endpointId = ''] = endpointIds;
  const messageIds = await seedWebhookMessages(api.deps.database, { projectId, userId, endpointId });
  return { endpoint_id: endpointIds, message_id: messageIds, url: ['http://127.0.0.1:1/'] };
}

/** The API beside an offline Stripe, with something of every kind in it, so that requests meet what exists. */
export async function startSeededApi(options: { projectId?: string; env?: Record<string, string> } = {}) {
  const api = await startCommerce({ METRICS_TOKEN: metricsToken, ...options.env });
  const { projectId, apiKey } = await api.createProject(options.projectId);
  const { database } = api.deps;
  const [monthly, once] = [
    await api.sell(projectId, { featureCodes: ['monthly'] }),
    await api.sell(projectId, { featureCodes: ['once'], interval: 'one_time', accessDays: 30 }),
  ];
  const unsold = await api.sell(projectId);
  await sellUsage(api, projectId, monthly.productId);
  const prices = { monthly: monthly.stripePriceId, once: once.stripePriceId };
  const seeded = await seedUser(api, projectId, prices);
  const { userId, subscriptionId, subscribedId, purchaseId, customerId, grantId } = seeded;
  await seedUsageRefusal(database, { projectId, userId });
  const webhooks = await makeWebhooks(api, { projectId, userId });
  const reservationIds = await useAndReserve(api, { apiKey, userId });
  const known: Known = {
    reservation_id: reservationIds,
    project_id: [projectId],
    user_id: [userId],
    price_id: [monthly.priceId, once.priceId, unsold.priceId],
    product_id: [monthly.productId],
    stripe_price_id: [monthly.stripePriceId],
    grant_id: [grantId],
    key_id: [(await api.createApiKey(projectId)).keyId],
    feature_code: ['monthly', 'by_hand', 'api_calls', 'seats'],
    object_id: [subscriptionId],
    // One that Stripe has, and one that only a hint gives to the user.
    subscription_id: [subscribedId, subscriptionId],
    // Nothing names its owner, which counts as a hint.
    source_id: [subscriptionId],
    payment_intent_id: [purchaseId],
    stripe_customer_id: [customerId],
    event_id: await seedEvents(database, subscriptionId),
    run_id: await seedRuns(database, projectId),
    target_id: [monthly.priceId, monthly.productId],
    limit: ['1', '2', '50'],
    ...webhooks,
    type: ['customer.subscription.updated', 'entitlements.changed'],
    actor: ['tester'],
    action: ['price.create', 'product.create'],
    target_type: ['price', 'product'],
    'Idempotency-Key': ['order-1'],
    session_id: await seedSessions(database, testAdmin.name),
    name: [testAdmin.name],
    secret: [testAdmin.secret],
  };
  await seedMeterHour(database, projectId);
  await seedSample(database);
  await seedRevenueDay(database, projectId);
  const stopAnswering = answerReplays(database);
  return {
    api,
    apiKey,
    known,
    /** A project that a request may switch off: nothing else needs it. */
    spareProjectId: (await api.createProject()).projectId,
    async withoutPostgres<T>(work: () => Promise<T>): Promise<T> {
      await api.databaseProxy.setMode('refuse');
      try {
        return await work();
      } finally {
        await api.databaseProxy.setMode('pass');
        await waitFor(() => database.$queryRaw`SELECT 1`, { what: 'Postgres' });
      }
    },
    /** As before `npm run db:migrate`. */
    async withoutMigrations<T>(work: () => Promise<T>): Promise<T> {
      await api.database.asOwner('UPDATE public._prisma_migrations SET rolled_back_at = now()');
      try {
        return await work();
      } finally {
        await api.database.asOwner('UPDATE public._prisma_migrations SET rolled_back_at = NULL');
      }
    },
    async close(): Promise<void> {
      await stopAnswering();
      await api.close();
    },
  };
}
