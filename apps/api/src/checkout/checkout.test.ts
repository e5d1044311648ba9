import { startCommerce, uniqueId } from '../testing/start-commerce.test-support.ts';
import type { Commerce } from '../testing/start-commerce.test-support.ts';

let commerce: Commerce;
let project: { projectId: string; apiKey: string };
let monthly: { productId: string; priceId: string; stripePriceId: string };
let once: typeof monthly;

beforeAll(async () => {
  commerce = await startCommerce();
  project = await commerce.createProject();
  monthly = await commerce.sell(project.projectId);
  once = await commerce.sell(project.projectId, { interval: 'one_time' });
});
afterAll(() => commerce.close());

const buy = (body: object, headers: Record<string, string> = {}) =>
  commerce.checkout(project.apiKey, body, headers);

async function giveSubscription(userId: string, status: string, owner: 'user' | 'customer' = 'user') {
  const user = await commerce.deps.database.user.create({ data: { projectId: project.projectId, userId } });
  const customer = uniqueId('cus');
  if (owner === 'customer')
    await commerce.deps.database.customer.create({
      data: { stripeCustomerId: customer, userRef: user.id, source: 'admin' },
    });
  await commerce.deps.database.subscription.create({
    data: {
      id: uniqueId('sub'),
      status,
      stripeCustomerId: customer,
      userRef: owner === 'user' ? user.id : null,
      claimedUserId: userId,
      claimedUserSource: 'metadata',
      items: { create: { itemId: 'si_1', stripePriceId: monthly.stripePriceId, quantity: 1n } },
    },
  });
}

describe('a checkout', () => {
  test('is a page of Stripe, and puts user and project on session and subscription', async () => {
    const order = commerce.order(monthly.priceId, {
      quantity: 3,
      trial_days: 14,
      email: 'payer@example.com',
      metadata: { campaign: 'autumn' },
    });
    const { body } = await buy(order).expect(200);
    expect(body).toEqual({
      checkout_url: expect.stringMatching(/^http/),
      session_id: expect.stringMatching(/^cs_/),
      expires_at: expect.stringMatching(/^\d{4}-.*\.000Z$/),
    });
    const session = await commerce.stripe.checkout.sessions.retrieve(body.session_id);
    const metadata = {
      campaign: 'autumn',
      user_id: order.user_id,
      project_id: project.projectId,
      price_id: monthly.priceId,
      quantity: '3',
    };
    expect(session).toMatchObject({ mode: 'subscription', client_reference_id: order.user_id, metadata });
    const [customer] = await commerce.customersOf(order.user_id);
    expect(customer).toMatchObject({ id: session.customer, email: 'payer@example.com' });
    await fetch(`${commerce.stripeUrl}/_offline/checkout/sessions/${session.id}/pay`, { method: 'POST' });
    const [subscription] = (await commerce.stripe.subscriptions.list({ customer: customer?.id ?? '' })).data;
    expect(subscription).toMatchObject({ status: 'trialing', metadata });
  });

  test('of a one-time price puts the metadata on the payment', async () => {
    const order = commerce.order(once.stripePriceId, { mode: 'payment' });
    const { body } = await buy(order).expect(200);
    await fetch(`${commerce.stripeUrl}/_offline/checkout/sessions/${body.session_id}/pay`, {
      method: 'POST',
    });
    const session = await commerce.stripe.checkout.sessions.retrieve(body.session_id, {
      expand: ['payment_intent'],
    });
    expect(session.payment_intent).toMatchObject({
      metadata: {
        user_id: order.user_id,
        project_id: project.projectId,
        price_id: once.priceId,
        quantity: '1',
      },
    });
  });

  test('maps the customer before the session, and changes no version', async () => {
    const order = commerce.order(monthly.priceId);
    await buy(order).expect(200);
    const user = await commerce.deps.database.user.findFirstOrThrow({
      where: { userId: order.user_id },
      include: { customers: true },
    });
    expect(user.version).toBe(0n);
    expect(user.customers).toMatchObject([{ source: 'checkout', deletedAt: null }]);
    expect(await commerce.deps.database.cacheInvalidation.count({ where: { userId: order.user_id } })).toBe(
      0,
    );
  });

  test('leaves client_reference_id out where the user id is too long for it', async () => {
    const order = commerce.order(monthly.priceId, { user_id: 'u'.repeat(201) });
    const { body } = await buy(order).expect(200);
    const session = await commerce.stripe.checkout.sessions.retrieve(body.session_id);
    expect(session.client_reference_id).toBeNull();
    expect(session.metadata).toMatchObject({ user_id: order.user_id });
  });
});

describe('a checkout is refused', () => {
  test.each([
    ['no body', () => ({}), 'user_id'],
    ['an unknown field', () => commerce.order(monthly.priceId, { coupon: 'x' }), 'coupon'],
    ['a bad mode', () => commerce.order(monthly.priceId, { mode: 'setup' }), 'mode'],
    ['quantity 0', () => commerce.order(monthly.priceId, { quantity: 0 }), 'quantity'],
    ['half a unit', () => commerce.order(monthly.priceId, { quantity: 1.5 }), 'quantity'],
    ['a relative address', () => commerce.order(monthly.priceId, { success_url: '/done' }), 'success_url'],
    ['a script', () => commerce.order(monthly.priceId, { cancel_url: 'javascript:alert(1)' }), 'cancel_url'],
    [
      'plain http',
      () => commerce.order(monthly.priceId, { success_url: 'http://example.com' }),
      'success_url',
    ],
    ['an invalid e-mail', () => commerce.order(monthly.priceId, { email: 'nobody' }), 'email'],
    ['our own metadata', () => commerce.order(monthly.priceId, { metadata: { user_id: 'x' } }), 'metadata'],
    ['a NUL in an id', () => commerce.order(monthly.priceId, { user_id: 'a\u0000b' }), 'user_id'],
    [
      'a trial of a payment',
      () => commerce.order(once.priceId, { mode: 'payment', trial_days: 3 }),
      'trial_days',
    ],
  ])('with %s', async (_name, body, path) => {
    const response = await buy(body()).expect(400);
    expect(response.headers['content-type']).toMatch(/^application\/problem\+json/);
    expect(response.body).toMatchObject({ code: 'invalid_request' });
    expect(response.body.errors.map((problem: { path: string }) => problem.path)).toContain(path);
  });

  test('without a key, with the key of another project, and for another project', async () => {
    await commerce.http().post('/api/v1/checkout/create').send(commerce.order(monthly.priceId)).expect(401);
    const other = await commerce.createProject();
    const order = commerce.order(monthly.priceId);
    const foreign = await commerce.checkout(other.apiKey, order).expect(404);
    const unknown = await commerce
      .checkout(other.apiKey, { ...order, price_id: 'price_nowhere' })
      .expect(404);
    const { request_id: _one, ...foreignBody } = foreign.body;
    const { request_id: _other, ...unknownBody } = unknown.body;
    expect(foreignBody).toEqual(unknownBody);
    expect(foreignBody).toMatchObject({ code: 'price_not_found' });
    const mismatch = await buy({ ...order, project_id: other.projectId }).expect(403);
    expect(mismatch.body.code).toBe('project_mismatch');
  });

  test('by a key that may only read', async () => {
    const reader = await commerce.createApiKey(project.projectId, { scopes: ['read'] });
    const response = await commerce.checkout(reader.apiKey, commerce.order(monthly.priceId)).expect(403);
    expect(response.body.code).toBe('insufficient_scope');
  });

  test('in the wrong mode', async () => {
    const response = await buy(commerce.order(once.priceId)).expect(400);
    expect(response.body.code).toBe('mode_mismatch');
    const other = await buy(commerce.order(monthly.priceId, { mode: 'payment' })).expect(400);
    expect(other.body.code).toBe('mode_mismatch');
  });

  test.each(['prices', 'products'] as const)('for archived %s', async (kind) => {
    const price = await commerce.sell(project.projectId);
    const id = kind === 'prices' ? price.priceId : price.productId;
    await commerce
      .admin('patch', `/projects/${project.projectId}/${kind}/${id}`, { is_archived: true })
      .expect(200);
    const response = await buy(commerce.order(price.priceId)).expect(400);
    expect(response.body.code).toBe('price_archived');
  });

  test.each(['trialing', 'active', 'past_due', 'unpaid', 'paused'])(
    'when the user has the subscription and it is %s',
    async (status) => {
      const order = commerce.order(monthly.priceId);
      await giveSubscription(order.user_id, status);
      const { body } = await buy(order).expect(409);
      expect(body).toMatchObject({ code: 'already_subscribed', detail: expect.stringMatching(/portal/) });
    },
  );

  test.each(['incomplete', 'incomplete_expired', 'canceled'])(
    'but not when the subscription is %s',
    async (status) => {
      const order = commerce.order(monthly.priceId);
      await giveSubscription(order.user_id, status);
      const response = await buy(order);
      expect(response.status).toBe(200);
    },
  );

  test('when a customer of the user pays it already and it has no owner yet', async () => {
    const order = commerce.order(monthly.priceId);
    await giveSubscription(order.user_id, 'active', 'customer');
    const response = await buy(order).expect(409);
    expect(response.body.code).toBe('already_subscribed');
  });

  test('with another method', async () => {
    const response = await commerce.http().get('/api/v1/checkout/create').expect(405);
    expect(response.headers['allow']).toBe('POST');
  });
});
