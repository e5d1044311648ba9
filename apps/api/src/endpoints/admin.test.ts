import { startCommerce, uniqueId } from '../testing/start-commerce.test-support.ts';
import type { Commerce } from '../testing/start-commerce.test-support.ts';

let commerce: Commerce;
let projectId: string;
let apiKey: string;

beforeAll(async () => {
  commerce = await startCommerce();
  ({ projectId, apiKey } = await commerce.createProject());
});
afterAll(() => commerce.close());

const admin: Commerce['admin'] = (...call) => commerce.admin(...call);

const check = async (userId: string, key = apiKey) => {
  const { body } = await commerce
    .http()
    .get('/api/v1/entitlements')
    .query({ user_id: userId })
    .set('authorization', `Bearer ${key}`)
    .expect(200);
  return body.entitlements.map((entitlement: { feature_code: string }) => entitlement.feature_code);
};

describe('a project', () => {
  test('is made, listed, read and changed', async () => {
    const id = uniqueId('made');
    const made = await admin('post', '/projects', {
      project_id: id,
      name: 'Made',
      description: 'By hand',
    }).expect(201);
    const policy = {
      past_due_grace_days: 7,
      unpaid: 'deny',
      paused: 'deny',
      incomplete: 'deny',
      pause_collection: 'allow',
      partial_refund_threshold: 1,
      dispute: 'hold',
      accept_buyer_hints: 'grant',
      past_due_allowance: 'grant',
      usage_timezone: 'UTC',
    };
    expect(made.body).toMatchObject({ project_id: id, description: 'By hand', is_active: true, policy });
    expect((await admin('get', `/projects/${id}`).expect(200)).body).toEqual(made.body);
    const first = await admin('patch', `/projects/${id}`, {
      policy: { unpaid: 'allow', past_due_grace_days: 3 },
    });
    expect(first.body.policy).toEqual({ ...policy, unpaid: 'allow', past_due_grace_days: 3 });
    const second = await admin('patch', `/projects/${id}`, {
      policy: { unpaid: null, dispute: 'ignore' },
      redirect_origins: ['https://App.example.com', 'http://localhost:3000'],
    });
    expect(second.body).toMatchObject({
      policy: { ...policy, past_due_grace_days: 3, dispute: 'ignore' },
      redirect_origins: ['https://app.example.com', 'http://localhost:3000'],
    });
    const third = await admin('patch', `/projects/${id}`, { name: 'Renamed', is_active: false });
    expect(third.body).toMatchObject({ name: 'Renamed', is_active: false, policy: second.body.policy });
  });

  test('a list continues at its cursor, whatever was added in between', async () => {
    const ids = ['aa', 'bb', 'cc', 'dd'].map((name) => uniqueId(`!${name}`));
    for (const id of ids) await admin('post', '/projects', { project_id: id, name: 'Listed' }).expect(201);
    const one = await admin('get', '/projects?limit=2').expect(200);
    expect(one.body.data.map((row: { project_id: string }) => row.project_id)).toEqual(ids.slice(0, 2));
    await admin('post', '/projects', { project_id: uniqueId('!a'), name: 'Late' }).expect(201);
    const two = await admin('get', `/projects?limit=2&cursor=${one.body.next_cursor}`).expect(200);
    expect(two.body.data.map((row: { project_id: string }) => row.project_id)).toEqual(ids.slice(2));
    const all = await admin('get', '/projects?limit=100').expect(200);
    expect(all.body.next_cursor).toBeNull();
  });
});

describe('duplicates', () => {
  test('of everything, 12 at once: one is made, the others are 409', async () => {
    const id = uniqueId('twice');
    const race = async (path: string, body: object, code: string) => {
      const responses = await Promise.all(Array.from({ length: 12 }, () => admin('post', path, body)));
      expect(responses.filter(({ status }) => status === 201)).toHaveLength(1);
      const others = responses.filter(({ status }) => status !== 201);
      expect(others.map((response) => [response.status, response.body.code])).toEqual(
        others.map(() => [409, code]),
      );
    };
    await race('/projects', { project_id: id, name: 'Twice' }, 'project_exists');
    const product = { product_id: 'p', name: 'P', feature_codes: ['f'] };
    await race(`/projects/${id}/products`, product, 'product_exists');
    const price = {
      product_id: 'p',
      stripe_price_id: uniqueId('price'),
      amount: 1,
      currency: 'USD',
      interval: 'month',
    };
    await race(`/projects/${id}/prices`, price, 'price_exists');
    const customer = { user_id: 'u', stripe_customer_id: uniqueId('cus') };
    await race(`/projects/${id}/customers`, customer, 'customer_exists');
    const grant = await admin('post', '/grant', {
      user_id: 'u',
      project_id: id,
      feature_code: 'f',
      reason: 'r',
    });
    const revocations = await Promise.all(
      Array.from({ length: 12 }, () =>
        admin('post', '/revoke', { grant_id: grant.body.grant_id, revoke_reason: 'r' }),
      ),
    );
    expect(revocations.filter(({ status }) => status === 200)).toHaveLength(1);
    expect(revocations.filter(({ status }) => status === 409)).toHaveLength(11);
    for (const action of ['project.create', 'product.create', 'price.create', 'customer.map', 'grant.revoke'])
      expect(await commerce.deps.database.auditEntry.count({ where: { projectId: id, action } })).toBe(1);
  });

  test('a Stripe price belongs to one project; our id and Stripe’s never name two prices', async () => {
    const { stripePriceId, productId, priceId } = await commerce.sell(projectId);
    const other = await commerce.createProject();
    const product = { product_id: productId, name: 'P', feature_codes: [] };
    await admin('post', `/projects/${other.projectId}/products`, product).expect(201);
    const price = { product_id: productId, amount: 1, currency: 'usd', interval: 'month' };
    const clashes = [
      [other.projectId, { ...price, stripe_price_id: stripePriceId }],
      [projectId, { ...price, stripe_price_id: uniqueId('price'), price_id: stripePriceId }],
      [projectId, { ...price, stripe_price_id: priceId, price_id: uniqueId('ours') }],
    ] as const;
    for (const [project, body] of clashes) {
      const response = await admin('post', `/projects/${project}/prices`, body).expect(409);
      expect(response.body.code).toBe('price_exists');
    }
  });

  test('a customer of one user does not become another’s', async () => {
    const customer = uniqueId('cus');
    const path = `/projects/${projectId}/customers`;
    await admin('post', path, { user_id: 'first', stripe_customer_id: customer }).expect(201);
    const response = await admin('post', path, { user_id: 'second', stripe_customer_id: customer }).expect(
      409,
    );
    expect(response.body.code).toBe('customer_exists');
  });
});

describe('an API key', () => {
  test('is shown once, works, is listed by its prefix, and stops working when revoked', async () => {
    const path = `/projects/${projectId}/api-keys`;
    const created = await admin('post', path, {
      name: 'Backend',
      expires_at: '2099-01-01T00:00:00+01:00',
    }).expect(201);
    const { api_key: secret, ...rest } = created.body;
    expect(secret).toMatch(/^proj_[0-9A-Za-z]{38}$/);
    expect(rest).toMatchObject({ name: 'Backend', expires_at: '2098-12-31T23:00:00.000Z', revoked_at: null });
    expect(await check('anybody', secret)).toEqual([]);
    const listed = await admin('get', `${path}?limit=100`).expect(200);
    expect(listed.text).not.toContain(secret);
    const row = listed.body.data.find((key: { key_id: string }) => key.key_id === rest.key_id);
    expect(row).toMatchObject({ prefix: secret.slice(0, 11), name: 'Backend' });
    await admin('delete', `${path}/${rest.key_id}`).expect(204);
    await admin('delete', `${path}/${rest.key_id}`).expect(204);
    await commerce
      .http()
      .get('/api/v1/entitlements?user_id=u')
      .set('authorization', `Bearer ${secret}`)
      .expect(401);
    const other = await commerce.createProject();
    const foreign = await admin('delete', `/projects/${other.projectId}/api-keys/${rest.key_id}`).expect(404);
    expect(foreign.body.code).toBe('api_key_not_found');
    expect(commerce.logs.join('')).not.toContain(secret);
  });
});

describe('the next read is right at once', () => {
  test('after a grant and its revocation', async () => {
    const userId = uniqueId('user');
    expect(await check(userId)).toEqual([]);
    const body = { user_id: userId, project_id: projectId, feature_code: 'beta', reason: 'tester' };
    const grant = await admin('post', '/grant', body).expect(201);
    expect(grant.body).toEqual({
      grant_id: expect.any(String),
      user_id: userId,
      project_id: projectId,
      feature_code: 'beta',
      valid_from: expect.any(String),
      valid_to: null,
      granted_at: expect.any(String),
    });
    expect(await check(userId)).toEqual(['beta']);
    const revoked = await admin('post', '/revoke', {
      grant_id: grant.body.grant_id,
      revoke_reason: 'over',
    }).expect(200);
    expect(revoked.body).toEqual({ grant_id: grant.body.grant_id, revoked_at: expect.any(String) });
    expect(await check(userId)).toEqual([]);
    const again = await admin('post', '/revoke', {
      grant_id: grant.body.grant_id,
      revoke_reason: 'over',
    }).expect(409);
    expect(again.body.code).toBe('already_revoked');
  });

  test.each([{ reason: 'over' }, { revoke_reason: 'over' }, { reason: 'over', revoke_reason: ' over ' }])(
    'takes a grant back for %j, and keeps the reason',
    async (reasons) => {
      const grant = await admin('post', '/grant', {
        user_id: uniqueId('user'),
        project_id: projectId,
        feature_code: 'beta',
        reason: 'trial',
      }).expect(201);
      const grantId: string = grant.body.grant_id;
      await admin('post', '/revoke', { grant_id: grantId, ...reasons }).expect(200);
      const row = await commerce.deps.database.grant.findUniqueOrThrow({ where: { id: grantId } });
      expect(row.revokeReason).toBe('over');
    },
  );

  test('after a change of feature codes and of policy; archiving takes nothing away', async () => {
    const userId = uniqueId('user');
    const price = await commerce.sell(projectId, { featureCodes: ['one'] });
    const user = await commerce.deps.database.user.create({ data: { projectId, userId } });
    await commerce.deps.database.subscription.create({
      data: {
        id: uniqueId('sub'),
        userRef: user.id,
        status: 'unpaid',
        items: {
          create: {
            itemId: 'si_1',
            stripePriceId: price.stripePriceId,
            quantity: 1n,
            currentPeriodStart: new Date(commerce.deps.clock() - 1_000),
            currentPeriodEnd: new Date(commerce.deps.clock() + 86_400_000),
          },
        },
      },
    });
    expect(await check(userId)).toEqual([]);
    await admin('patch', `/projects/${projectId}`, { policy: { unpaid: 'allow' } }).expect(200);
    expect(await check(userId)).toEqual(['one']);
    const product = `/projects/${projectId}/products/${price.productId}`;
    await admin('patch', product, { feature_codes: ['two', 'three'] }).expect(200);
    expect(await check(userId)).toEqual(['three', 'two']);
    await admin('patch', product, { is_archived: true }).expect(200);
    await admin('patch', `/projects/${projectId}/prices/${price.priceId}`, { is_archived: true }).expect(200);
    expect(await check(userId)).toEqual(['three', 'two']);
    await admin('patch', `/projects/${projectId}`, { policy: { unpaid: null } }).expect(200);
    expect(await check(userId)).toEqual([]);
  });

  test('a change stands while Redis is away', async () => {
    const userId = uniqueId('user');
    await check(userId);
    commerce.redis.pause();
    try {
      const body = { user_id: userId, project_id: projectId, feature_code: 'beta', reason: 'tester' };
      await admin('post', '/grant', body).expect(201);
      expect(await check(userId)).toEqual(['beta']);
    } finally {
      commerce.redis.resume();
    }
  });
});
