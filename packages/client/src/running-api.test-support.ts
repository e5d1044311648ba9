import { createOfflineStripe } from '@billing/offline-stripe';
import { createGrant, createPrice, createProduct, patchProject, publishInvalidations } from '@billing/store';
import type { Changed } from '@billing/store';
import { Stripe } from 'stripe';
import { startTestApi, testAdmin } from '../../../apps/api/src/testing/start-test-api.test-support.ts';
import type { TestApi } from '../../../apps/api/src/testing/start-test-api.test-support.ts';

const actor = { name: 'test', requestId: null };

type Described = { feature_code: string; kind: string; counted?: boolean };

export type RunningApi = Awaited<ReturnType<typeof startRunningApi>>;

/** The API as it is, with one project, something to sell and an offline Stripe to sell it through. */
export async function startRunningApi(env: Record<string, string> = {}) {
  const stripe = await createOfflineStripe({
    stateDir: null,
    webhookUrl: null,
    webhookSecret: 'whsec_test',
  }).listen(0);
  const api = await startTestApi({ env: { STRIPE_API_BASE: stripe.url, ...env } });
  const { projectId, apiKey } = await api.createProject();
  const { apiKey: readKey } = await api.createApiKey(projectId, { scopes: ['read'] });
  const priceId = await sellSubscription(api, { projectId, stripeUrl: stripe.url });

  const publish = async <T>({ result, pending }: Changed<T>): Promise<T> => {
    await publishInvalidations(api.deps, pending);
    return result;
  };
  const adminPost = (path: string, body: object): Promise<Response> =>
    fetch(`${api.url}/api/v1/admin/${path}`, {
      method: 'POST',
      headers: { authorization: `Bearer ${testAdmin.secret}`, 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
  /** Describes the feature, unless it is, and gives so much of it. */
  async function give(userId: string, { feature, amount }: { feature: Described; amount: number }) {
    const described = await adminPost(`projects/${projectId}/features`, feature);
    if (!described.ok && described.status !== 409) throw new Error(await described.text());
    const given = { project_id: projectId, user_id: userId, feature_code: feature.feature_code, amount };
    const granted = await adminPost('grant', { ...given, reason: 'test' });
    if (!granted.ok) throw new Error(await granted.text());
  }

  return {
    url: api.url,
    projectId,
    apiKey,
    /** May only read, as a key in a page must. */
    readKey,
    priceId,
    redis: api.redis,
    grant: async (userId: string, featureCode: string, validTo?: number) => {
      const end = validTo === undefined ? {} : { valid_to: validTo };
      const request = {
        project_id: projectId,
        user_id: userId,
        feature_code: featureCode,
        reason: 'test',
        ...end,
      };
      return publish(await createGrant(api.deps.database, request, { actor, now: Date.now() }));
    },
    giveMetered: (userId: string, { featureCode, amount }: { featureCode: string; amount: number }) =>
      give(userId, { feature: { feature_code: featureCode, kind: 'metered' }, amount }),
    giveSeats: (userId: string, amount: number) =>
      give(userId, { feature: { feature_code: 'seats', kind: 'limit', counted: true }, amount }),
    switchOff: async () =>
      publish(
        await patchProject(api.deps.database, {
          id: projectId,
          patch: { is_active: false },
          actor,
          pastDueGraceDays: 7,
        }),
      ),
    stop: async () => {
      await api.close();
      await stripe.close();
    },
  };
}

/** Returns our id of the price. */
async function sellSubscription(
  { deps: { database } }: TestApi,
  { projectId, stripeUrl }: { projectId: string; stripeUrl: string },
): Promise<string> {
  const { hostname, port } = new URL(stripeUrl);
  const stripe = new Stripe('sk_test_client', { host: hostname, port, protocol: 'http' });
  const { id: product } = await stripe.products.create({ name: 'Pro' });
  const money = { amount: 1_900, currency: 'eur' };
  const { id: stripePriceId } = await stripe.prices.create({
    product,
    unit_amount: money.amount,
    currency: money.currency,
    recurring: { interval: 'month' },
  });
  const sold = { product_id: 'pro', name: 'Pro', feature_codes: ['premium_export'] };
  await createProduct(database, { projectId, request: sold, actor });
  const terms = { ...money, interval: 'month', intervalCount: 1, usageType: 'licensed' } as const;
  const price = { productId: 'pro', priceId: 'pro_monthly', stripePriceId, accessDays: null, ...terms };
  await createPrice(database, { projectId, price, check: 'same', now: Date.now(), actor });
  return price.priceId;
}
