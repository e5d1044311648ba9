import { randomBytes } from 'node:crypto';
import type { Stripe } from 'stripe';
import type { ApiClient } from './api-client.ts';
import type { Stack } from './stack.ts';

export const uniqueId = (prefix: string): string => `${prefix}_${randomBytes(6).toString('hex')}`;

export type Subscriber = { userId: string; customerId: string; subscriptionId: string };

export type Shop = {
  projectId: string;
  apiKey: string;
  stripePriceId: string;
  /** A new customer of Stripe buys. */
  subscribe: (userId?: string) => Promise<Subscriber>;
  subscribeMany: (count: number) => Promise<Subscriber[]>;
  cancel: (subscriber: Subscriber) => Promise<Stripe.Subscription>;
  /** Returns the grant's id. */
  grant: (userId: string, featureCode: string, client?: ApiClient) => Promise<string>;
  revoke: (grantId: string, client?: ApiClient) => Promise<unknown>;
  /** The body of a checkout by a user who has nothing yet. */
  order: () => object;
};

/** A project that sells `pro` by the month, and its users, who buy in the offline Stripe. */
export async function openShop(stack: Stack): Promise<Shop> {
  const { stripeApi, anyApi } = stack;
  const projectId = uniqueId('shop');
  const stripePrice = await stripeApi.prices.create({
    currency: 'usd',
    unit_amount: 1900,
    recurring: { interval: 'month' },
    product_data: { name: 'Pro' },
  });
  await anyApi.admin('POST', '/projects', { project_id: projectId, name: projectId });
  const project = `/projects/${projectId}`;
  const product = { product_id: 'pro', name: 'Pro', feature_codes: ['pro'] };
  await anyApi.admin('POST', `${project}/products`, product);
  await anyApi.admin('POST', `${project}/prices`, {
    price_id: 'pro_monthly',
    product_id: 'pro',
    stripe_price_id: stripePrice.id,
    amount: 1900,
    currency: 'usd',
    interval: 'month',
  });
  const created = (await anyApi.admin('POST', `${project}/api-keys`, {})) as { api_key: string };

  async function subscribe(userId = uniqueId('user')): Promise<Subscriber> {
    const metadata = { user_id: userId, project_id: projectId };
    const customer = await stripeApi.customers.create({ metadata });
    const subscription = await stripeApi.subscriptions.create({
      customer: customer.id,
      items: [{ price: stripePrice.id }],
      metadata,
    });
    return { userId, customerId: customer.id, subscriptionId: subscription.id };
  }

  return {
    projectId,
    apiKey: created.api_key,
    stripePriceId: stripePrice.id,
    subscribe,
    subscribeMany: async (count) => {
      const all: Subscriber[] = [];
      for (let index = 0; index < count; index += 1) all.push(await subscribe());
      return all;
    },
    cancel: ({ subscriptionId }) => stripeApi.subscriptions.cancel(subscriptionId),
    grant: async (userId, featureCode, client = anyApi) => {
      const grant = { user_id: userId, project_id: projectId, feature_code: featureCode, reason: 'test' };
      const { grant_id } = (await client.admin('POST', '/grant', grant)) as { grant_id: string };
      return grant_id;
    },
    revoke: (grantId, client = anyApi) =>
      client.admin('POST', '/revoke', { grant_id: grantId, revoke_reason: 'test' }),
    order: () => ({
      user_id: uniqueId('user'),
      price_id: 'pro_monthly',
      mode: 'subscription',
      success_url: 'https://app.example.com/done',
      cancel_url: 'https://app.example.com/cancel',
    }),
  };
}
