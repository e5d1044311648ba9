import { once } from 'node:events';
import { createServer } from 'node:http';
import { runBilling } from '../commands/run-billing.ts';
import { planCatalog } from './plan-catalog.ts';
import type { CatalogFile } from './catalog-file.ts';

const feature = {
  feature_code: 'calls',
  kind: 'metered' as const,
  name: null,
  unit: 'call',
  counted: false,
  thresholds: [80],
  stripe_meter: null,
};
const product = {
  product_id: 'pro',
  name: 'Pro',
  description: null,
  feature_codes: ['calls', 'export'],
  features: [{ feature_code: 'calls', per_unit: false, allowance: 5, period: 'month' as const }],
  group: 'plans',
  rank: 1,
  is_default: false,
  max_trials_per_user: null,
  stripe_product_id: 'prod_test',
  access_days: null,
  is_archived: false,
};
const price = {
  price_id: 'pro_monthly',
  product_id: 'pro',
  stripe_price_id: 'price_test',
  amount: 1900,
  currency: 'usd',
  interval: 'month' as const,
  interval_count: 1,
  usage_type: 'licensed' as const,
  access_days: null,
  is_archived: false,
};
const full: CatalogFile = { catalog: 1, features: [feature], products: [product], prices: [price] };
const none: CatalogFile = { catalog: 1, features: [], products: [], prices: [] };

test('what is not there is made, features first, with the ids of the other account', () => {
  const { steps, takenIds } = planCatalog(full, none, { price_test: 'price_live' });
  expect(steps.map(({ action, kind, id }) => [action, kind, id])).toEqual([
    ['create', 'feature', 'calls'],
    ['create', 'product', 'pro'],
    ['create', 'price', 'pro_monthly'],
  ]);
  expect(steps[1]?.body).toMatchObject({
    product_id: 'pro',
    feature_codes: ['export'],
    stripe_product_id: 'prod_test',
  });
  expect(steps[1]?.body).not.toHaveProperty('description');
  expect(steps[2]?.body).toMatchObject({ stripe_price_id: 'price_live', amount: 1900 });
  expect(takenIds).toEqual(['prod_test']);
});

test('what is there alike needs nothing, whatever its ids at Stripe are', () => {
  const live = {
    ...full,
    products: [{ ...product, stripe_product_id: 'prod_live' }],
    prices: [{ ...price, stripe_price_id: 'price_live' }],
  };
  expect(planCatalog(full, live, {})).toEqual({ steps: [], problems: [], takenIds: [], onlyThere: [] });
});

test('what differs is changed, only that, and what only the project has stays', () => {
  const there = {
    ...full,
    products: [
      { ...product, name: 'Old', rank: 2 },
      { ...product, product_id: 'legacy' },
    ],
    prices: [{ ...price, amount: 900, access_days: 3 }],
  };
  const { steps, onlyThere, problems } = planCatalog(full, there, {});
  expect(steps.map(({ id, body }) => [id, body])).toEqual([
    ['pro', { name: 'Pro', rank: 1 }],
    ['pro_monthly', { amount: 1900 }],
  ]);
  expect(onlyThere).toEqual(['product legacy']);
  expect(problems).toEqual([expect.stringContaining('access_days')]);
});

test('a price without a fixed amount is made so; how it is used is left as it is where the file does not know', () => {
  const unknown = { ...price, amount: null, usage_type: null };
  const file = { ...none, prices: [unknown] };
  expect(planCatalog(file, none, {}).steps[0]?.body).toMatchObject({ amount: null });
  expect(planCatalog(file, none, {}).steps[0]?.body).not.toHaveProperty('usage_type');
  const { steps } = planCatalog(file, { ...none, prices: [price] }, {});
  expect(steps.map(({ body }) => body)).toEqual([{ amount: null }]);
});

test('an archived product is made and then archived; a default gives way before another takes its place', () => {
  const archived = planCatalog({ ...none, products: [{ ...product, is_archived: true }] }, none, {});
  expect(archived.steps.map(({ action, body }) => [action, body['is_archived']])).toEqual([
    ['create', undefined],
    ['update', true],
  ]);
  const [old, next] = [
    { ...product, product_id: 'free', is_default: true },
    { ...product, product_id: 'basic', is_default: false },
  ];
  const wanted = [
    { ...next, is_default: true },
    { ...old, is_default: false },
  ];
  const { steps } = planCatalog({ ...none, products: wanted }, { ...none, products: [next, old] }, {});
  expect(steps.map(({ id }) => id)).toEqual(['free', 'basic']);
});

test('a catalog is read from no replica, as it is compared with and changed', async () => {
  const asked: [string, string | undefined][] = [];
  const server = createServer(({ url = '', headers }, response) => {
    asked.push([url.replace(/\?.*/, ''), headers['cache-control']]);
    response.setHeader('content-type', 'application/json').end('{"data":[],"next_cursor":null}');
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const code = await runBilling(['catalog', 'export', 'shop'], {
    print: () => undefined,
    say: () => undefined,
    ask: () => Promise.resolve(null),
    env: { BILLING_URL: `http://127.0.0.1:${port}`, BILLING_ADMIN_KEY: 'secret' },
    stackPath: '/no/such/stack.json',
  });
  server.close();
  server.closeAllConnections();
  expect(code).toBe(0);
  const lists = ['features', 'products', 'prices'];
  expect(asked).toEqual(lists.map((list) => [`/api/v1/admin/projects/shop/${list}`, 'no-cache']));
});
