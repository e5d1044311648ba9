import { randomBytes } from 'node:crypto';
import { createOfflineStripe } from '@billing/offline-stripe';
import { Stripe } from 'stripe';
import request from 'supertest';
import { startTestApi, testAdmin } from './start-test-api.test-support.ts';
import type { TestApiOptions } from './start-test-api.test-support.ts';

export const uniqueId = (prefix: string): string => `${prefix}_${randomBytes(6).toString('hex')}`;

export type Commerce = Awaited<ReturnType<typeof startCommerce>>;

type Product = {
  featureCodes?: string[];
  interval?: 'month' | 'year' | 'one_time';
  amount?: number;
  accessDays?: number;
  /** Further fields of the product, such as its group. */
  plan?: object;
};

/** The API beside an offline Stripe, over HTTP, with the calls that tests of buying and selling need. */
export async function startCommerce(
  env: Record<string, string> = {},
  shared: Pick<TestApiOptions, 'database' | 'redis' | 'consoleDirectory'> = {},
) {
  const offline = createOfflineStripe({ stateDir: null, webhookUrl: null, webhookSecret: 'whsec_unused' });
  const stripeServer = await offline.listen(0);
  const api = await startTestApi({ ...shared, env: { STRIPE_API_BASE: stripeServer.url, ...env } });
  const stripe = new Stripe('sk_test_of_the_test', {
    host: '127.0.0.1',
    port: stripeServer.port,
    protocol: 'http',
    telemetry: false,
  });

  const admin = (method: 'get' | 'post' | 'patch' | 'delete' | 'put', path: string, body?: object) => {
    const agent = request(api.url);
    const call = agent[method](`/api/v1/admin${path}`).set('authorization', `Bearer ${testAdmin.secret}`);
    return body === undefined ? call : call.send(body);
  };
  const checkout = (apiKey: string, body: object, headers: Record<string, string> = {}) =>
    request(api.url)
      .post('/api/v1/checkout/create')
      .set('authorization', `Bearer ${apiKey}`)
      .set(headers)
      .send(body);

  /** A price that Stripe has and the project's catalog maps. */
  async function sell(projectId: string, product: Product = {}) {
    const { featureCodes = ['premium'], interval = 'month', amount = 1000, accessDays, plan } = product;
    const recurring = interval === 'one_time' ? {} : { recurring: { interval } };
    const stripePrice = await stripe.prices.create({
      currency: 'usd',
      unit_amount: amount,
      product_data: { name: 'Test' },
      ...recurring,
    });
    const [productId, priceId] = [uniqueId('product'), uniqueId('ours')];
    await admin('post', `/projects/${projectId}/products`, {
      product_id: productId,
      name: 'Test',
      feature_codes: featureCodes,
      ...plan,
    }).expect(201);
    await admin('post', `/projects/${projectId}/prices`, {
      price_id: priceId,
      product_id: productId,
      stripe_price_id: stripePrice.id,
      amount,
      currency: 'usd',
      interval,
      ...(accessDays === undefined ? {} : { access_days: accessDays }),
    }).expect(201);
    return { productId, priceId, stripePriceId: stripePrice.id };
  }

  return {
    ...api,
    stripe,
    stripeUrl: stripeServer.url,
    admin,
    checkout,
    sell,
    /** A valid body of a checkout; what is given wins. */
    order: (priceId: string, more: object = {}) => ({
      user_id: uniqueId('user'),
      price_id: priceId,
      mode: 'subscription',
      success_url: 'https://app.example.com/done?session={CHECKOUT_SESSION_ID}',
      cancel_url: 'https://app.example.com/cancel',
      ...more,
    }),
    /** Makes the next answers of Stripe's API fail. */
    async fault(
      mode: '429' | '500' | 'hang' | 'reset' | 'html' | 'cut' | 'none',
      times?: number,
      more: { executed?: boolean; path?: string; methods?: string[] } = {},
    ): Promise<void> {
      await request(stripeServer.url)
        .post('/_offline/faults')
        .send({ mode, times, ...more })
        .expect(200);
    },
    /** Moves the clock of the offline Stripe forward. */
    async advance(seconds: number): Promise<void> {
      await request(stripeServer.url).post('/_offline/clock').send({ advance_seconds: seconds }).expect(200);
    },
    customersOf: async (userId: string) =>
      (await stripe.customers.list({ limit: 100 })).data.filter(
        (customer) => customer.metadata['user_id'] === userId,
      ),
    async close(): Promise<void> {
      await api.close();
      await stripeServer.close();
    },
  };
}
