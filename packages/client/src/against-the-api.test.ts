import { waitFor } from '@billing/testing';
import { testAdmin } from '../../../apps/api/src/testing/start-test-api.test-support.ts';
import { createBillingClient } from './create-billing-client.ts';
import type { BillingClientOptions } from './options.ts';
import { startRunningApi } from './running-api.test-support.ts';
import type { RunningApi } from './running-api.test-support.ts';
import type { CheckoutRequest } from './wire.ts';

let api: RunningApi;
beforeAll(async () => {
  api = await startRunningApi();
}, 60_000);
afterAll(() => api.stop());

const client = (options: Partial<BillingClientOptions> = {}) =>
  createBillingClient({ baseUrl: api.url, apiKey: api.apiKey, ...options });

test('an unknown user has nothing', async () => {
  await expect(client().entitlements('unknown')).resolves.toMatchObject({
    user_id: 'unknown',
    project_id: api.projectId,
    entitlements: [],
  });
  await expect(client().can('unknown', 'premium_export')).resolves.toBe(false);
});

test('what was granted can be used, and is explained', async () => {
  const { id } = await api.grant('granted', 'premium_export');
  await expect(client().can('granted', 'premium_export')).resolves.toBe(true);
  await expect(client().can('granted', 'another')).resolves.toBe(false);
  const answer = await client().entitlements('granted', { featureCode: 'premium_export', explain: true });
  expect(answer.entitlements).toMatchObject([
    { feature_code: 'premium_export', source: 'manual', source_id: id },
  ]);
  expect(answer.explanation).toMatchObject([{ source_id: id, in_force: true, reason: 'in_force' }]);
});

test.each(['user 1&project_id=other', 'ünïcode/🙂', '__proto__', '100%', 'a+b'])(
  'the id %p arrives as it is',
  async (userId) => {
    await api.grant(userId, 'premium_export');
    await expect(client().can(userId, 'premium_export')).resolves.toBe(true);
    const { results } = await client().batch(['nobody', userId, userId]);
    expect(results.map((one) => [one.user_id, one.entitlements.length])).toEqual([
      ['nobody', 0],
      [userId, 1],
      [userId, 1],
    ]);
  },
);

test('a batch of 100 is answered in order, 101 are refused with the field', async () => {
  const userIds = Array.from({ length: 101 }, (_, index) => `user_${index}`);
  const { results } = await client().batch(userIds.slice(0, 100));
  expect(results.map((one) => one.user_id)).toEqual(userIds.slice(0, 100));
  await expect(client().batch(userIds)).rejects.toMatchObject({
    code: 'invalid_request',
    status: 400,
    errors: [{ path: 'user_ids' }],
  });
});

test('access that ends by itself ends in the cache too', async () => {
  await api.grant('short', 'premium_export', Date.now() + 3_000);
  const cached = client({ cache: { ttlMs: 60_000 } });
  await expect(cached.can('short', 'premium_export')).resolves.toBe(true);
  await waitFor(async () => !(await cached.can('short', 'premium_export')), { what: 'the end of access' });
  const { entitlements } = await client().entitlements('short');
  expect(entitlements).toEqual([]);
});

test.each([
  { name: 'a key that is none', apiKey: 'proj_junk', code: 'invalid_api_key', status: 401 },
  { name: 'an admin secret', apiKey: testAdmin.secret, code: 'invalid_api_key', status: 401 },
])('$name is refused, even with onUnavailable: allow', async ({ apiKey, code, status }) => {
  const asked = client({ apiKey, onUnavailable: 'allow' }).can('granted', 'premium_export');
  await expect(asked).rejects.toMatchObject({ code, status, retryable: false });
});

test('an empty id among others is named as the service names it, without being sent', async () => {
  const userIds = ['a', '', 'b'];
  const sent = await fetch(`${api.url}/api/v1/entitlements/batch`, {
    method: 'POST',
    headers: { authorization: `Bearer ${api.apiKey}`, 'content-type': 'application/json' },
    body: JSON.stringify({ user_ids: userIds }),
  });
  const { code, errors } = (await sent.json()) as { code: string; errors: { path: string }[] };
  await expect(client().batch(userIds)).rejects.toMatchObject({
    code,
    status: null,
    errors: errors.map(({ path }) => ({ path })),
  });
});

test('an error contains the request id and what to correct', async () => {
  await expect(client().entitlements(' padded ')).rejects.toMatchObject({
    code: 'invalid_request',
    requestId: expect.stringMatching(/.+/),
    errors: [{ path: 'user_id', message: expect.any(String) }],
  });
});

const request = (userId: string): CheckoutRequest => ({
  user_id: userId,
  price_id: api.priceId,
  mode: 'subscription',
  success_url: 'https://shop.example/ok?session={CHECKOUT_SESSION_ID}',
  cancel_url: 'https://shop.example/no',
  metadata: { campaign: 'autumn' },
});

describe('buying', () => {
  test('an equal checkout leads to the page that is open, another one with the same key is a conflict', async () => {
    const first = await client().createCheckout(request('buyer'));
    expect(first.checkout_url).toMatch(/^http/);
    const once = { idempotencyKey: 'order-17' };
    const second = await client().createCheckout(request('buyer'), once);
    await expect(client().createCheckout(request('buyer'), once)).resolves.toEqual(second);
    expect(second.session_id).toBe(first.session_id);
    const other = client().createCheckout({ ...request('buyer'), quantity: 2 }, once);
    await expect(other).rejects.toMatchObject({ code: 'idempotency_conflict', status: 409 });
  });

  test('twenty at once with one key are one session', async () => {
    const asked = Array.from({ length: 20 }, () =>
      client({ retries: 5 }).createCheckout(request('hasty'), { idempotencyKey: 'twenty' }),
    );
    const sessions = await Promise.all(asked);
    expect(new Set(sessions.map((one) => one.session_id)).size).toBe(1);
  });

  test('an unknown price is named', async () => {
    const asked = client().createCheckout({ ...request('buyer'), price_id: 'price_unknown' });
    await expect(asked).rejects.toMatchObject({ code: 'price_not_found', status: 404 });
  });

  test('the portal opens for those who have a customer only', async () => {
    await client().createCheckout(request('member'));
    const portal = await client().createPortalSession({
      user_id: 'member',
      return_url: 'https://shop.example/',
    });
    expect(portal.portal_url).toMatch(/^http/);
    const unknown = client().createPortalSession({
      user_id: 'unknown',
      return_url: 'https://shop.example/',
    });
    await expect(unknown).rejects.toMatchObject({ code: 'customer_not_found', status: 404 });
  });
});

test('while Redis is away the answers are still right', async () => {
  await api.grant('steady', 'premium_export');
  await api.redis.stop();
  await expect(client().can('steady', 'premium_export')).resolves.toBe(true);
  await expect(client().can('unknown', 'premium_export')).resolves.toBe(false);
  await api.redis.start();
});

test('an inactive project is an error, not a denial', async () => {
  await api.switchOff();
  const denying = client({ onUnavailable: 'deny', retries: 0 });
  const refusal = await waitFor(
    () =>
      denying.can('granted', 'premium_export').then(
        () => null,
        (error: unknown) => error,
      ),
    { what: 'the end of the project' },
  );
  expect(refusal).toMatchObject({ code: 'project_inactive', status: 403 });
});
