import { waitFor } from '@billing/testing';
import { browserPath, openBrowser } from '@billing/testing/browser';
import request from 'supertest';
import { uniqueId } from '../../apps/api/src/testing/start-commerce.test-support.ts';
import { startWholeSystem } from './whole-system.test-support.ts';
import type { WholeSystem } from './whole-system.test-support.ts';

let system: WholeSystem;
beforeAll(async () => {
  system = await startWholeSystem();
});
afterAll(() => system.close());

/** Three plans of a group, of which everybody has the first. */
async function sellPlans() {
  const { projectId, apiKey } = await system.createProject();
  const ofGroup = (rank: number) => ({ group: 'plan', rank });
  await system
    .admin('post', `/projects/${projectId}/products`, {
      product_id: 'free',
      name: 'Free',
      feature_codes: ['free'],
      is_default: true,
      ...ofGroup(0),
    })
    .expect(201);
  const sell = async (feature: string, amount: number, rank: number) => {
    const sold = await system.sell(projectId, { featureCodes: [feature], amount });
    await system
      .admin('patch', `/projects/${projectId}/products/${sold.productId}`, ofGroup(rank))
      .expect(200);
    return sold;
  };
  return { projectId, apiKey, basic: await sell('basic', 1_000, 1), pro: await sell('pro', 3_000, 2) };
}

/** Pays on Stripe's page, in a real browser where there is one. */
async function pay({ checkout_url: url, session_id: id }: { checkout_url: string; session_id: string }) {
  if (browserPath === undefined) return system.pay(id);
  const browser = await openBrowser();
  try {
    const page = await browser.newPage();
    await page.route('https://app.example.com/**', (route) => route.fulfill({ body: 'back in the shop' }));
    await page.goto(url);
    await page.getByRole('button', { name: 'Pay', exact: true }).click();
    await page.waitForURL('https://app.example.com/**');
  } finally {
    await browser.close();
  }
}

it('from the free plan to a paid one with a promotion code, up at the price shown, down at the end of the period, canceled and resumed', async () => {
  const { apiKey, basic, pro } = await sellPlans();
  const userId = uniqueId('user');
  const call = (method: 'get' | 'post', path: string, body?: object) => {
    const agent = request(system.url);
    const asked = agent[method](`/api/v1/subscriptions${path}`).set('authorization', `Bearer ${apiKey}`);
    return (body === undefined ? asked : asked.send(body)).expect(200);
  };
  expect(await system.features(apiKey, userId)).toEqual(['free']);

  const { id: coupon } = await system.stripe.coupons.create({ percent_off: 50, duration: 'once' });
  const { code } = await system.stripe.promotionCodes.create({ promotion: { type: 'coupon', coupon } });
  const order = system.order(basic.priceId, { user_id: userId, promotion_code: code });
  await pay((await system.checkout(apiKey, order).expect(200)).body);
  await system.awaitFeatures(apiKey, userId, ['basic']);
  const { body: list } = await call('get', `?user_id=${userId}`);
  const [subscription] = list.data;
  const paid = await system.stripe.invoices.list({ subscription: subscription.subscription_id });
  expect(paid.data[0]).toMatchObject({ status: 'paid', amount_paid: 500 });
  const path = `/${subscription.subscription_id}`;

  const up = { items: [{ price_id: pro.priceId }] };
  const { body: shown } = await call('post', `${path}/preview`, up);
  const { body: upgraded } = await call('post', `${path}/change`, {
    ...up,
    preview_token: shown.preview_token,
  });
  expect(upgraded.items).toMatchObject([{ price_id: pro.priceId }]);
  // Without a wait: the call applied what Stripe has.
  expect(await system.features(apiKey, userId)).toEqual(['pro']);
  const invoices = await system.stripe.invoices.list({ subscription: subscription.subscription_id });
  expect(invoices.data[0]).toMatchObject({ status: 'paid', amount_paid: shown.due_now });

  const { body: later } = await call('post', `${path}/change`, { items: [{ price_id: basic.priceId }] });
  expect(later.pending_change.items).toMatchObject([{ price_id: basic.priceId }]);
  expect(await system.features(apiKey, userId)).toEqual(['pro']);
  const end = Date.parse(later.pending_change.effective_at);
  await system.control('/clock', { to: Math.ceil(end / 1_000) + 1 });
  // By our clock a webhook of now would be a month old once that has moved.
  await waitFor(async () => (await call('get', path)).body.items[0].price_id === basic.priceId, {
    what: 'the change',
  });
  system.clock.advance(end - system.clock.now() + 2_000);
  await system.awaitFeatures(apiKey, userId, ['basic']);

  const { body: canceled } = await call('post', `${path}/cancel`, { at: 'period_end' });
  expect(canceled).toMatchObject({ cancel_at_period_end: true, pending_change: null });
  const { body: resumed } = await call('post', `${path}/resume`, {});
  expect(resumed).toMatchObject({ cancel_at_period_end: false, items: [{ price_id: basic.priceId }] });
  expect(await system.features(apiKey, userId)).toEqual(['basic']);
});
