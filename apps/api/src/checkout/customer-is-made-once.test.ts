import { startCommerce } from '../testing/start-commerce.test-support.ts';
import { startTestApi } from '../testing/start-test-api.test-support.ts';
import type { Commerce } from '../testing/start-commerce.test-support.ts';
import request from 'supertest';

let commerce: Commerce;
let project: { projectId: string; apiKey: string };
let price: { priceId: string };

beforeAll(async () => {
  commerce = await startCommerce();
  project = await commerce.createProject();
  price = await commerce.sell(project.projectId);
});
afterEach(() => commerce.fault('none'));
afterAll(() => commerce.close());

const twenty = <T>(make: (index: number) => T): T[] => Array.from({ length: 20 }, (_, index) => make(index));

test('20 first checkouts at once make one customer', async () => {
  const order = commerce.order(price.priceId);
  const responses = await Promise.all(
    twenty((index) => commerce.checkout(project.apiKey, { ...order, email: `payer${index}@example.com` })),
  );
  expect(responses.map(({ status }) => status)).toEqual(twenty(() => 200));
  expect(await commerce.customersOf(order.user_id)).toHaveLength(1);
  const rows = await commerce.deps.database.customer.count({ where: { user: { userId: order.user_id } } });
  expect(rows).toBe(1);
});

test('also in two processes', async () => {
  const second = await startTestApi({
    database: commerce.database,
    redis: commerce.redis,
    env: { STRIPE_API_BASE: commerce.stripeUrl },
  });
  try {
    const order = commerce.order(price.priceId);
    const responses = await Promise.all(
      twenty((index) =>
        request(index % 2 === 0 ? commerce.url : second.url)
          .post('/api/v1/checkout/create')
          .set('authorization', `Bearer ${project.apiKey}`)
          .send(order),
      ),
    );
    expect(responses.map(({ status }) => status)).toEqual(twenty(() => 200));
    expect(await commerce.customersOf(order.user_id)).toHaveLength(1);
  } finally {
    await second.close();
  }
});

test('a later checkout uses the same customer', async () => {
  const order = commerce.order(price.priceId);
  await commerce.checkout(project.apiKey, order).expect(200);
  await commerce.checkout(project.apiKey, order).expect(200);
  expect(await commerce.customersOf(order.user_id)).toHaveLength(1);
});

test('a customer that was deleted in Stripe is replaced, before and after its event', async () => {
  const order = commerce.order(price.priceId);
  await commerce.checkout(project.apiKey, order).expect(200);
  const [first] = await commerce.customersOf(order.user_id);
  await commerce.stripe.customers.del(String(first?.id));
  await commerce.checkout(project.apiKey, order).expect(200);
  const [second] = await commerce.customersOf(order.user_id);
  expect(second?.id).not.toBe(first?.id);
  const rows = await commerce.deps.database.customer.findMany({
    where: { user: { userId: order.user_id } },
    orderBy: { createdAt: 'asc' },
  });
  expect(rows).toMatchObject([
    { stripeCustomerId: first?.id, deletedAt: expect.any(Date) },
    { stripeCustomerId: second?.id, deletedAt: null },
  ]);
});

test.each([
  ['500', 503, 'stripe_unavailable'],
  ['429', 503, 'stripe_unavailable'],
  ['reset', 503, 'stripe_unavailable'],
  ['html', 503, 'stripe_unavailable'],
] as const)(
  'after Stripe failed with %s the next try succeeds, with one customer',
  async (mode, status, code) => {
    const order = commerce.order(price.priceId);
    await commerce.fault(mode);
    const refused = await commerce.checkout(project.apiKey, order).expect(status);
    expect(refused.body.code).toBe(code);
    expect(refused.headers['retry-after']).toMatch(/^\d+$/);
    expect(await commerce.deps.database.customer.count({ where: { user: { userId: order.user_id } } })).toBe(
      0,
    );
    await commerce.fault('none');
    await commerce.checkout(project.apiKey, order).expect(200);
    expect(await commerce.customersOf(order.user_id)).toHaveLength(1);
  },
);

test('after a server error, which Stripe repeats to the same idempotency key, another one is used', async () => {
  const order = commerce.order(price.priceId);
  await commerce.fault('500');
  await commerce.checkout(project.apiKey, order).expect(503);
  const user = await commerce.deps.database.user.findFirstOrThrow({ where: { userId: order.user_id } });
  expect(user.customerAttempt).toBe(1);
});

test('while Stripe hangs a checkout ends with stripe_unavailable, and readers are served', async () => {
  await commerce.fault('hang');
  const order = commerce.order(price.priceId);
  const hanging = commerce.checkout(project.apiKey, order).then((response) => response);
  await commerce
    .http()
    .get('/api/v1/entitlements')
    .query({ user_id: order.user_id })
    .set('authorization', `Bearer ${project.apiKey}`)
    .expect(200);
  const refused = await hanging;
  expect(refused.body).toMatchObject({ status: 503, code: 'stripe_unavailable' });
});

test('one failure of Stripe is retried', async () => {
  await commerce.fault('reset', 1);
  const response = await commerce.checkout(project.apiKey, commerce.order(price.priceId));
  expect(response.status).toBe(200);
});
