import { startCommerce, uniqueId } from '../../testing/start-commerce.test-support.ts';
import type { Commerce } from '../../testing/start-commerce.test-support.ts';

let commerce: Commerce;
let project: { projectId: string; apiKey: string };

beforeAll(async () => {
  commerce = await startCommerce();
  project = await commerce.createProject();
});
afterEach(() => commerce.fault('none'));
afterAll(() => commerce.close());

const minutesAgo = (minutes: number): Date => new Date(Date.now() - minutes * 60_000);

const open = (body: object, apiKey = project.apiKey) =>
  commerce
    .http()
    .post('/api/v1/portal/create-session')
    .set('authorization', `Bearer ${apiKey}`)
    .send({ return_url: 'https://app.example.com/account', ...body });

async function createUser(projectId = project.projectId) {
  const userId = uniqueId('user');
  const { id } = await commerce.deps.database.user.create({ data: { projectId, userId } });
  return { userId, userRef: id };
}

/** A customer in Stripe, known on the portal's page by the name of what it is subscribed to. */
async function createCustomer(): Promise<{ id: string; plan: string }> {
  const { id } = await commerce.stripe.customers.create({});
  const plan = uniqueId('plan');
  const price = await commerce.stripe.prices.create({
    currency: 'usd',
    unit_amount: 500,
    recurring: { interval: 'month' },
    product_data: { name: plan },
  });
  await commerce.stripe.subscriptions.create({ customer: id, items: [{ price: price.id }] });
  return { id, plan };
}

/** The text of the page that the portal opens for this user. */
async function portalOf(userId: string): Promise<string> {
  const { body } = await open({ user_id: userId }).expect(200);
  expect(body).toEqual({
    portal_url: expect.stringMatching(/^http/),
    expires_at: expect.stringMatching(/^\d{4}-.*Z$/),
  });
  return (await fetch(body.portal_url)).text();
}

describe('the portal shows', () => {
  test('the customer who was mapped', async () => {
    const { userId, userRef } = await createUser();
    const customer = await createCustomer();
    await commerce.deps.database.customer.create({
      data: { stripeCustomerId: customer.id, userRef, source: 'admin' },
    });
    expect(await portalOf(userId)).toContain(customer.plan);
  });

  test('the newest live one of several', async () => {
    const { userId, userRef } = await createUser();
    const [older, live, deleted] = [await createCustomer(), await createCustomer(), await createCustomer()];
    await commerce.deps.database.customer.createMany({
      data: [
        { stripeCustomerId: older.id, userRef, source: 'admin', createdAt: minutesAgo(30) },
        { stripeCustomerId: live.id, userRef, source: 'admin', createdAt: minutesAgo(20) },
        {
          stripeCustomerId: deleted.id,
          userRef,
          source: 'admin',
          createdAt: minutesAgo(10),
          deletedAt: minutesAgo(5),
        },
      ],
    });
    expect(await portalOf(userId)).toContain(live.plan);
  });

  test('who pays the newest subscription or purchase, where no customer was mapped', async () => {
    const { userId, userRef } = await createUser();
    const [older, newer] = [await createCustomer(), await createCustomer()];
    await commerce.deps.database.purchase.create({
      data: {
        id: uniqueId('pi'),
        userRef,
        claimedUserId: userId,
        claimedUserSource: 'metadata',
        stripeCustomerId: older.id,
        status: 'pending',
        createdAt: new Date(Date.now() - 60_000),
      },
    });
    await commerce.deps.database.subscription.create({
      data: {
        id: uniqueId('sub'),
        userRef,
        claimedUserId: userId,
        claimedUserSource: 'metadata',
        stripeCustomerId: newer.id,
        status: 'canceled',
      },
    });
    expect(await portalOf(userId)).toContain(newer.plan);
  });
});

describe('a flow', () => {
  /** A user whose subscriptions are stored as Stripe has them. */
  async function subscriber(count: number) {
    const { userId, userRef } = await createUser();
    const subscriptions: { id: string; plan: string }[] = [];
    for (let n = 0; n < count; n += 1) {
      const customer = await createCustomer();
      const [row] = (await commerce.stripe.subscriptions.list({ customer: customer.id })).data;
      const id = row?.id ?? '';
      await commerce.deps.database.subscription.create({
        data: {
          id,
          userRef,
          status: 'active',
          stripeCustomerId: customer.id,
          claimedUserId: userId,
          claimedUserSource: 'metadata',
        },
      });
      subscriptions.push({ id, plan: customer.plan });
    }
    return { userId, subscriptions };
  }
  const asked = async (body: object): Promise<string> => {
    const { portal_url: url } = (await open(body).expect(200)).body as { portal_url: string };
    return url;
  };

  test('is about the only live subscription, or the one that is named', async () => {
    const [one, two] = [await subscriber(1), await subscriber(2)];
    expect(await asked({ user_id: one.userId, flow: 'subscription_cancel' })).toContain('/flow');
    const body = { user_id: two.userId, flow: 'subscription_cancel' };
    const refused = await open(body).expect(400);
    expect(refused.body.errors).toMatchObject([{ path: 'subscription_id' }]);
    for (const { id, plan } of two.subscriptions)
      expect(await (await fetch(await asked({ ...body, subscription_id: id }))).text()).toContain(plan);
    await asked({ user_id: two.userId, flow: 'payment_method_update' });
  });

  test('never leads to a subscription of another user', async () => {
    const [one, two] = [await subscriber(1), await subscriber(1)];
    const body = { user_id: one.userId, subscription_id: two.subscriptions[0]?.id };
    expect((await open(body).expect(404)).body.code).toBe('subscription_not_found');
  });

  test('and a configuration: that of the request, else of the project', async () => {
    const strict = await commerce.createProject();
    const configuration = await commerce.stripe.billingPortal.configurations.create({
      features: { invoice_history: { enabled: true } },
    });
    const { userId, userRef } = await createUser(strict.projectId);
    await commerce.deps.database.customer.create({
      data: { stripeCustomerId: (await createCustomer()).id, userRef, source: 'admin' },
    });
    const setDefault = (id: string) =>
      commerce.admin('patch', `/projects/${strict.projectId}`, { portal_configuration: id }).expect(200);
    const opened = async (body: object = {}): Promise<string> => {
      const { portal_url: url } = (await open({ user_id: userId, ...body }, strict.apiKey).expect(200))
        .body as { portal_url: string };
      return (await fetch(url)).text();
    };
    const other = await commerce.stripe.billingPortal.configurations.create({
      features: { payment_method_update: { enabled: true } },
    });
    await setDefault(configuration.id);
    expect(await opened()).toContain('Invoices');
    expect(await opened({ configuration: other.id })).not.toContain('Invoices');
  });

  test.each(['bpc_none', 'inactive'])(
    'and where Stripe refuses the configuration of the project (%s), that of the account',
    async (which) => {
      const own = await commerce.createProject();
      const made = await commerce.stripe.billingPortal.configurations.create({
        features: { invoice_history: { enabled: true } },
      });
      await commerce.stripe.billingPortal.configurations.update(made.id, { active: false });
      const configuration = which === 'inactive' ? made.id : which;
      const { userId, userRef } = await createUser(own.projectId);
      await commerce.deps.database.customer.create({
        data: { stripeCustomerId: (await createCustomer()).id, userRef, source: 'admin' },
      });
      await commerce
        .admin('patch', `/projects/${own.projectId}`, { portal_configuration: configuration })
        .expect(200);
      await open({ user_id: userId }, own.apiKey).expect(200);
      const named = await open({ user_id: userId, configuration }, own.apiKey).expect(400);
      expect(named.body.errors).toMatchObject([{ path: 'configuration' }]);
    },
  );
});

describe('there is no portal', () => {
  test.each([
    ['for an unknown user', async () => uniqueId('user')],
    ['for a user without a customer', async () => (await createUser()).userId],
    [
      'for a user of another project',
      async () => {
        const other = await commerce.createProject();
        const { userId, userRef } = await createUser(other.projectId);
        await commerce.deps.database.customer.create({
          data: { stripeCustomerId: (await createCustomer()).id, userRef, source: 'admin' },
        });
        return userId;
      },
    ],
    [
      'for a customer deleted in Stripe',
      async () => {
        const { userId, userRef } = await createUser();
        const { id: stripeCustomerId } = await createCustomer();
        await commerce.deps.database.customer.create({
          data: { stripeCustomerId, userRef, source: 'admin' },
        });
        await commerce.stripe.customers.del(stripeCustomerId);
        return userId;
      },
    ],
  ])('%s', async (_name, userOf) => {
    const response = await open({ user_id: await userOf() }).expect(404);
    expect(response.body.code).toBe('customer_not_found');
  });

  test('that leads back to an origin the project does not allow', async () => {
    const strict = await commerce.createProject();
    await commerce
      .admin('patch', `/projects/${strict.projectId}`, { redirect_origins: ['https://app.example.com'] })
      .expect(200);
    const body = { user_id: 'anybody', return_url: 'https://evil.example/' };
    const response = await open(body, strict.apiKey).expect(400);
    expect(response.body.errors).toMatchObject([{ path: 'return_url' }]);
  });

  test('while Stripe fails', async () => {
    const { userId, userRef } = await createUser();
    await commerce.deps.database.customer.create({
      data: { stripeCustomerId: (await createCustomer()).id, userRef, source: 'admin' },
    });
    await commerce.fault('500');
    const response = await open({ user_id: userId }).expect(503);
    expect(response.body.code).toBe('stripe_unavailable');
  });

  test('without a key, for another project, by another method', async () => {
    const responses = [
      await commerce.http().post('/api/v1/portal/create-session').send({}),
      await open({ user_id: 'u', project_id: 'another' }),
      await open({ return_url: 'nowhere' }),
      await commerce.http().get('/api/v1/portal/create-session'),
    ];
    expect(responses.map(({ status }) => status)).toEqual([401, 403, 400, 405]);
  });
});
