import { applyChanged } from '@billing/sync';
import type { Stripe } from 'stripe';
import request from 'supertest';
import { startCommerce, uniqueId } from '../testing/start-commerce.test-support.ts';
import type { Commerce } from '../testing/start-commerce.test-support.ts';

export const daySeconds = 86_400;

type Plan = { amount: number; group?: string; rank?: number; interval?: 'month' | 'year' | 'one_time' };

export type ChangeWorld = Awaited<ReturnType<typeof startChangeWorld>>;

/** The API beside an offline Stripe, with plans of one group, and subscriptions that both know. */
export async function startChangeWorld(env: Record<string, string> = {}) {
  const api: Commerce = await startCommerce(env);
  const { stripe } = api;
  const project = await api.createProject();
  const { projectId } = project;

  /** A price of the project, whose product is a plan. */
  async function plan({ amount, group, rank, interval = 'month' }: Plan, ofProject = projectId) {
    const feature = uniqueId('feature');
    const sold = await api.sell(ofProject, { amount, interval, featureCodes: [feature] });
    if (group !== undefined)
      await api
        .admin('patch', `/projects/${ofProject}/products/${sold.productId}`, {
          group,
          ...(rank === undefined ? {} : { rank }),
        })
        .expect(200);
    return { ...sold, feature };
  }

  /** Reads a subscription as a webhook would bring it. */
  const sync = (id: string) => applyChanged(api.deps, { id, answer: null, lookupMs: 5_000 });

  /** A user who pays a subscription to these prices with a card. */
  async function subscribe(
    prices: readonly (string | { price: string; quantity?: number })[],
    more: Partial<Stripe.SubscriptionCreateParams> = {},
  ) {
    const userId = uniqueId('user');
    const customer = await stripe.customers.create({});
    const subscription = await stripe.subscriptions.create({
      customer: customer.id,
      items: prices.map((price) => (typeof price === 'string' ? { price } : price)),
      metadata: { user_id: userId, project_id: projectId },
      ...more,
    });
    await sync(subscription.id);
    return { userId, customerId: customer.id, id: subscription.id };
  }

  const send = (
    method: 'get' | 'post' | 'delete',
    path: string,
    {
      body,
      headers = {},
      apiKey = project.apiKey,
    }: { body?: object; headers?: Record<string, string>; apiKey?: string } = {},
  ) => {
    const agent = request(api.url);
    const call = agent[method](`/api/v1/subscriptions/${path}`)
      .set('authorization', `Bearer ${apiKey}`)
      .set(headers);
    return body === undefined ? call : call.send(body);
  };

  return {
    api,
    stripe,
    ...project,
    plan,
    sync,
    subscribe,
    get: (id: string) => send('get', id),
    preview: (id: string, body: object) => send('post', `${id}/preview`, { body }),
    change: (id: string, body: object, headers: Record<string, string> = {}) =>
      send('post', `${id}/change`, { body, headers }),
    drop: (id: string) => send('delete', `${id}/pending-change`),
    send,
    /** From now on the customer's card is declined, though it can be saved. */
    async declineCard(customerId: string, subscriptionId: string): Promise<void> {
      const method = await stripe.paymentMethods.attach('pm_card_chargeCustomerFail', {
        customer: customerId,
      });
      await stripe.subscriptions.update(subscriptionId, { default_payment_method: method.id });
    },
    async offline(path: string, body: object): Promise<void> {
      await request(api.stripeUrl).post(`/_offline/${path}`).send(body).expect(200);
    },
    features: async (userId: string): Promise<string[]> => {
      const { body } = await request(api.url)
        .get('/api/v1/entitlements')
        .query({ user_id: userId })
        .set('authorization', `Bearer ${project.apiKey}`)
        .expect(200);
      return (body.entitlements as { feature_code: string }[]).map((one) => one.feature_code);
    },
    close: () => api.close(),
  };
}
