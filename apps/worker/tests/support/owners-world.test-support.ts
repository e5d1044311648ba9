import { mapCustomer } from '@billing/store';
import { periodStart, sessionObject, stripeEvent, subscriptionObject } from '@billing/testing';
import type { SessionParts, SubscriptionParts } from '@billing/testing';
import { startTestWorker } from './start-test-worker.test-support.ts';

export type OwnersWorld = Awaited<ReturnType<typeof startOwnersWorld>>;

export const actor = { name: 'tester', requestId: null };

const at = periodStart * 1000 + 1;

export const subscribed = (parts: SubscriptionParts, created = periodStart) =>
  stripeEvent({
    type: 'customer.subscription.updated',
    object: subscriptionObject({ latestInvoice: null, ...parts }),
    created,
  });

export const completed = (parts: SessionParts) =>
  stripeEvent({ type: 'checkout.session.completed', object: sessionObject(parts) });

/** The worker with a project `second` beside `shop`, which sells `price_second` (feature `second_feature`). */
export async function startOwnersWorld(options: Parameters<typeof startTestWorker>[0] = {}) {
  const world = await startTestWorker(options);
  const projectId = 'second';
  await world.database.project.create({ data: { id: projectId, name: projectId } });
  const product = { projectId, productId: 'second' };
  await world.database.product.create({
    data: { ...product, name: 'second', featureCodes: ['second_feature'] },
  });
  const sold = { priceId: 'our_second', stripePriceId: 'price_second', amount: 1n, currency: 'usd' };
  await world.database.price.create({ data: { ...product, ...sold, interval: 'month' } });
  return {
    ...world,
    featuresOf: async (userId: string, project = 'shop') =>
      (await world.features(at, userId, project)).map((one) => one.featureCode),
    map: (project: string, userId: string, customer: string) =>
      mapCustomer(world.database, {
        projectId: project,
        request: { user_id: userId, stripe_customer_id: customer },
        actor,
      }),
  };
}
