import { createServer } from 'node:http';
import { startCommerce, uniqueId } from '../../testing/start-commerce.test-support.ts';
import type { Commerce } from '../../testing/start-commerce.test-support.ts';

let commerce: Commerce;
let projectId: string;
let apiKey: string;

const admin: Commerce['admin'] = (...call) => commerce.admin(...call);

async function makeProduct(featureCode = 'premium'): Promise<string> {
  const product_id = uniqueId('product');
  const body = { product_id, name: 'P', feature_codes: [featureCode] };
  await admin('post', `/projects/${projectId}/products`, body).expect(201);
  return product_id;
}

const makeAtStripe = async (parts: object = {}): Promise<string> =>
  (
    await commerce.stripe.prices.create({
      currency: 'usd',
      unit_amount: 3000,
      product_data: { name: 'P' },
      recurring: { interval: 'month', interval_count: 3 },
      ...parts,
    })
  ).id;

const post = (body: object) => admin('post', `/projects/${projectId}/prices`, body);
const patch = (priceId: string, body: object) =>
  admin('patch', `/projects/${projectId}/prices/${priceId}`, body);
const paths = ({ body }: { body: { errors: { path: string }[] } }) => body.errors.map(({ path }) => path);

beforeAll(async () => {
  commerce = await startCommerce();
  ({ projectId, apiKey } = await commerce.createProject());
});
afterAll(() => commerce.close());
afterEach(() => commerce.fault('none'));

describe('a new price is read from Stripe', () => {
  test('fields that are left out are filled in', async () => {
    const [product_id, stripe_price_id] = [await makeProduct(), await makeAtStripe()];
    const { body } = await post({ product_id, stripe_price_id }).expect(201);
    expect(body).toMatchObject({
      price_id: stripe_price_id,
      amount: 3000,
      currency: 'usd',
      interval: 'month',
      interval_count: 3,
      usage_type: 'licensed',
    });
    expect(Date.parse(body.verified_at)).toBeGreaterThan(Date.now() - 60_000);
    const shown = await admin('get', `/projects/${projectId}/prices/${stripe_price_id}`).expect(200);
    expect(shown.body).toEqual(body);
  });

  test.each([
    ['day', 10],
    ['week', 2],
    ['year', 1],
  ] as const)('every %s × %s', async (interval, interval_count) => {
    const stripe_price_id = await makeAtStripe({ recurring: { interval, interval_count } });
    const given = { product_id: await makeProduct(), stripe_price_id, interval, interval_count };
    expect((await post(given).expect(201)).body).toMatchObject({ interval, interval_count });
  });

  test('a quarterly price cannot pose as a monthly one, nor an amount or a currency as another', async () => {
    const [product_id, stripe_price_id] = [await makeProduct(), await makeAtStripe()];
    const wrong = {
      amount: 1000,
      currency: 'eur',
      interval: 'month',
      interval_count: 1,
      usage_type: 'metered',
    };
    const response = await post({ product_id, stripe_price_id, ...wrong }).expect(400);
    expect(response.body.code).toBe('price_differs_from_stripe');
    expect(paths(response)).toEqual(['amount', 'currency', 'usage_type', 'interval_count']);
    await post({ product_id, stripe_price_id }).expect(201);
  });

  test('access_days with a price that turns out to recur', async () => {
    const given = { product_id: await makeProduct(), stripe_price_id: await makeAtStripe(), access_days: 30 };
    expect(paths(await post(given).expect(400))).toEqual(['access_days']);
  });

  test('unknown at Stripe: taken unverified where it is complete, else named', async () => {
    const [product_id, stripe_price_id] = [await makeProduct(), uniqueId('price')];
    const response = await post({ product_id, stripe_price_id, currency: 'usd' }).expect(400);
    expect([response.body.code, paths(response)]).toEqual(['invalid_request', ['amount', 'interval']]);
    const given = {
      amount: null,
      currency: 'usd',
      interval: 'week',
      interval_count: 2,
      usage_type: 'metered',
    };
    const { body } = await post({ product_id, stripe_price_id, ...given }).expect(201);
    expect(body).toMatchObject({ ...given, verified_at: null });
  });

  test('Stripe away: taken unverified where it is complete, else 503', async () => {
    const [product_id, stripe_price_id] = [await makeProduct(), await makeAtStripe()];
    await commerce.fault('500');
    const response = await post({ product_id, stripe_price_id }).expect(503);
    expect(response.body.code).toBe('stripe_unavailable');
    expect(response.headers['retry-after']).toBeDefined();
    const given = { amount: 3000, currency: 'usd', interval: 'month' };
    const { body } = await post({ product_id, stripe_price_id, ...given }).expect(201);
    expect(body).toMatchObject({ ...given, interval_count: 1, usage_type: null, verified_at: null });
  });
});

/** Answers for every price alike. */
async function stripeWith(price: object): Promise<{ url: string; close: () => Promise<unknown> }> {
  const server = createServer((_request, response) => {
    response.writeHead(200, { 'content-type': 'application/json' });
    response.end(JSON.stringify({ id: 'price_1', object: 'price', currency: 'usd', ...price }));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('it listens on no port');
  const { port } = address;
  return {
    url: `http://127.0.0.1:${port}`,
    close: () => new Promise((resolve) => server.close(resolve)),
  };
}

test.each([
  ['tiers', { billing_scheme: 'tiered', unit_amount: null, unit_amount_decimal: null }, 'licensed'],
  ['metered usage', { billing_scheme: 'per_unit', unit_amount: 5, unit_amount_decimal: '5' }, 'metered'],
])('a price with %s has no amount, and 0 counts as none', async (_what, price, usage_type) => {
  const recurring = { interval: 'month', interval_count: 1, usage_type };
  const stub = await stripeWith({ ...price, recurring });
  const other = await startCommerce({ STRIPE_API_BASE: stub.url });
  try {
    const { projectId: id } = await other.createProject();
    await other
      .admin('post', `/projects/${id}/products`, { product_id: 'p', name: 'P', feature_codes: [] })
      .expect(201);
    const given = { product_id: 'p', stripe_price_id: 'price_1' };
    const refused = await other.admin('post', `/projects/${id}/prices`, { ...given, amount: 7 }).expect(400);
    expect(refused.body.code).toBe('price_differs_from_stripe');
    const { body } = await other.admin('post', `/projects/${id}/prices`, { ...given, amount: 0 }).expect(201);
    expect(body).toMatchObject({ amount: null, usage_type, interval: 'month' });
    expect(body.verified_at).not.toBeNull();
  } finally {
    await other.close();
    await stub.close();
  }
});

describe('a correction', () => {
  test('makes a price that differed the same, and refuses what contradicts Stripe', async () => {
    const [product_id, stripe_price_id] = [await makeProduct(), await makeAtStripe()];
    await commerce.fault('500');
    const wrong = { amount: 1000, currency: 'eur', interval: 'month', interval_count: 1 };
    const { body: price } = await post({ product_id, stripe_price_id, ...wrong }).expect(201);
    await commerce.fault('none');
    const refused = await patch(price.price_id, { amount: 2000 }).expect(400);
    expect([refused.body.code, paths(refused)]).toEqual(['price_differs_from_stripe', ['amount']]);
    const half = await patch(price.price_id, { amount: 3000 }).expect(200);
    expect(half.body).toMatchObject({ amount: 3000, currency: 'eur', verified_at: null });
    const whole = await patch(price.price_id, { currency: 'USD', interval_count: 3 }).expect(200);
    expect(whole.body).toMatchObject({ amount: 3000, currency: 'usd', interval: 'month', interval_count: 3 });
    expect(whole.body.verified_at).not.toBeNull();
  });

  test('while Stripe is away is taken, and verified later', async () => {
    const given = { product_id: await makeProduct(), stripe_price_id: await makeAtStripe() };
    const { body: price } = await post(given).expect(201);
    await commerce.fault('500');
    const { body } = await patch(price.price_id, { interval: 'year', interval_count: 2 }).expect(200);
    expect(body).toMatchObject({ interval: 'year', interval_count: 2, amount: 3000, verified_at: null });
  });

  test('a price with access_days stays a one-time price', async () => {
    const given = {
      product_id: await makeProduct(),
      stripe_price_id: uniqueId('price'),
      amount: 1,
      currency: 'usd',
    };
    const { body: price } = await post({ ...given, interval: 'one_time', access_days: 3 }).expect(201);
    expect(paths(await patch(price.price_id, { interval: 'month' }).expect(400))).toEqual(['interval']);
    const recurring = { interval_count: 2, usage_type: 'metered' };
    const refused = await patch(price.price_id, recurring).expect(400);
    expect([refused.body.code, paths(refused)]).toEqual(['invalid_request', Object.keys(recurring)]);
  });

  test('moved to another product: the next read of those who have it is right', async () => {
    const sold = await commerce.sell(projectId, { featureCodes: ['old'] });
    const product_id = await makeProduct('new');
    const { database } = commerce.deps;
    const user = await database.user.create({ data: { projectId, userId: uniqueId('user') } });
    const items = { create: [{ itemId: 'si_1', stripePriceId: sold.stripePriceId, quantity: 1n }] };
    await database.subscription.create({
      data: { id: uniqueId('sub'), status: 'active', userRef: user.id, items },
    });
    const features = async () => {
      const { body } = await commerce
        .http()
        .get(`/api/v1/entitlements?user_id=${user.userId}`)
        .set('authorization', `Bearer ${apiKey}`)
        .expect(200);
      return body.entitlements.map((one: { feature_code: string }) => one.feature_code);
    };
    expect(await features()).toEqual(['old']);
    const { body } = await patch(sold.priceId, { product_id }).expect(200);
    expect(body.product_id).toBe(product_id);
    expect(await features()).toEqual(['new']);
    const missing = await patch(sold.priceId, { product_id: 'nobody' }).expect(404);
    expect(missing.body.code).toBe('product_not_found');
    const inUse = await admin('delete', `/projects/${projectId}/prices/${sold.priceId}`).expect(409);
    expect(inUse.body.code).toBe('price_in_use');
  });
});

test('a price that a subscription is to get by its schedule is in use, until the subscription has ended', async () => {
  const sold = await commerce.sell(projectId);
  const items = [{ stripePriceId: sold.stripePriceId, quantity: 1 }];
  const schedule = { scheduleId: uniqueId('sub_sched'), changes: [{ effectiveAt: Date.now(), items }] };
  const { subscription } = commerce.deps.database;
  const { id } = await subscription.create({ data: { id: uniqueId('sub'), status: 'active', schedule } });
  const path = `/projects/${projectId}/prices/${sold.priceId}`;
  expect((await admin('delete', path).expect(409)).body.code).toBe('price_in_use');
  await subscription.update({ where: { id }, data: { status: 'canceled' } });
  await admin('delete', path).expect(204);
});

test('a price that nobody has can be deleted, and mapped again', async () => {
  const sold = await commerce.sell(projectId);
  await admin('delete', `/projects/${projectId}/prices/${sold.priceId}`).expect(204);
  const gone = await admin('delete', `/projects/${projectId}/prices/${sold.priceId}`).expect(404);
  expect(gone.body.code).toBe('price_not_found');
  await post({ product_id: sold.productId, stripe_price_id: sold.stripePriceId }).expect(201);
  const { database } = commerce.deps;
  const bought = uniqueId('pi');
  await database.purchase.create({
    data: {
      id: bought,
      status: 'paid',
      paidAt: new Date(),
      items: { create: [{ stripePriceId: sold.stripePriceId, quantity: 1n }] },
    },
  });
  const inUse = await admin('delete', `/projects/${projectId}/prices/${sold.stripePriceId}`).expect(409);
  expect(inUse.body.code).toBe('price_in_use');
});
