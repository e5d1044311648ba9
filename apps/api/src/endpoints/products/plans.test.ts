import { dayMs } from '@billing/domain';
import { publishInvalidations } from '@billing/store';
import { giveSubscription } from '../../testing/sources.test-support.ts';
import { startCommerce, uniqueId } from '../../testing/start-commerce.test-support.ts';
import type { Commerce } from '../../testing/start-commerce.test-support.ts';

let commerce: Commerce;
beforeAll(async () => {
  commerce = await startCommerce();
});
afterAll(() => commerce.close());

type Project = { projectId: string; apiKey: string };

const create = ({ projectId }: Project, fields: object) =>
  commerce.admin('post', `/projects/${projectId}/products`, {
    product_id: uniqueId('product'),
    name: 'Plan',
    ...fields,
  });
const patch = ({ projectId }: Project, productId: string, fields: object) =>
  commerce.admin('patch', `/projects/${projectId}/products/${productId}`, fields);

const plan = {
  group: 'plans',
  rank: 2,
  is_default: false,
  max_trials_per_user: 1,
  stripe_product_id: 'prod_plan',
  access_days: 30,
};
const noPlan = {
  group: null,
  rank: null,
  is_default: false,
  max_trials_per_user: null,
  stripe_product_id: null,
  access_days: null,
};

test('a plan is answered as it was sent; null takes each field away, what is left out stays', async () => {
  const project = await commerce.createProject();
  const { body } = await create(project, plan).expect(201);
  expect(body).toMatchObject(plan);
  const path = `/projects/${project.projectId}/products`;
  expect((await commerce.admin('get', `${path}/${body.product_id}`).expect(200)).body).toEqual(body);
  expect((await patch(project, body.product_id, { name: 'Pro' }).expect(200)).body).toMatchObject(plan);
  expect((await patch(project, body.product_id, noPlan).expect(200)).body).toMatchObject(noPlan);
  expect((await create(project, {}).expect(201)).body).toMatchObject(noPlan);
  expect((await commerce.admin('get', path).expect(200)).body.data).toMatchObject([noPlan, noPlan]);
});

test.each<[string, object, string]>([
  ['a group that is no word', { group: '' }, 'group'],
  ['a rank that is no whole number', { rank: 1.5 }, 'rank'],
  ['a default that is neither yes nor no', { is_default: 'yes' }, 'is_default'],
  ['fewer than no trial', { max_trials_per_user: -1 }, 'max_trials_per_user'],
  ['a Stripe product that is no id', { stripe_product_id: ' ' }, 'stripe_product_id'],
  ['access for no day', { access_days: 0 }, 'access_days'],
])('%s is refused', async (_what, fields, path) => {
  const project = await commerce.createProject();
  const { body } = await create(project, fields).expect(400);
  expect(body).toMatchObject({ code: 'invalid_request', errors: [{ path }] });
  const { body: made } = await create(project, {}).expect(201);
  await patch(project, made.product_id, fields).expect(400);
});

describe('a group has one default', () => {
  test('another one is 409 default_exists, however it would become one', async () => {
    const project = await commerce.createProject();
    const { body: free } = await create(project, { group: 'plans', is_default: true }).expect(201);
    expect((await create(project, { group: 'plans', is_default: true }).expect(409)).body).toMatchObject({
      code: 'default_exists',
    });
    const { body: other } = await create(project, { group: 'storage', is_default: true }).expect(201);
    expect((await patch(project, other.product_id, { group: 'plans' }).expect(409)).body.code).toBe(
      'default_exists',
    );
    const { body: pro } = await create(project, { group: 'plans' }).expect(201);
    expect((await patch(project, pro.product_id, { is_default: true }).expect(409)).body.code).toBe(
      'default_exists',
    );
    await patch(project, free.product_id, { is_default: false }).expect(200);
    await patch(project, pro.product_id, { is_default: true }).expect(200);
    // Itself is no other one.
    await patch(project, pro.product_id, { is_default: true, rank: 1 }).expect(200);
  });

  test('of many at once exactly one wins; other projects and groups do not matter', async () => {
    const [project, other] = [await commerce.createProject(), await commerce.createProject()];
    const all = await Promise.all([
      ...Array.from({ length: 4 }, () => create(project, { group: 'plans', is_default: true })),
      create(other, { group: 'plans', is_default: true }),
      create(other, { is_default: true }),
      create(other, { is_default: true }),
    ]);
    expect(
      all
        .slice(0, 4)
        .map(({ status }) => status)
        .sort((a, b) => a - b),
    ).toEqual([201, 409, 409, 409]);
    expect(all.slice(4).map(({ status }) => status)).toEqual([201, 201, 201]);
  });
});

describe('a Stripe product is one product’s', () => {
  test('another one, of whatever project, is 409 stripe_product_mapped', async () => {
    const [project, other] = [await commerce.createProject(), await commerce.createProject()];
    const stripeProduct = { stripe_product_id: uniqueId('prod') };
    const { body: first } = await create(project, stripeProduct).expect(201);
    for (const refused of [
      await create(project, stripeProduct),
      await create(other, stripeProduct),
      await patch(other, (await create(other, {})).body.product_id, stripeProduct),
    ])
      expect([refused.status, refused.body.code]).toEqual([409, 'stripe_product_mapped']);
    await patch(project, first.product_id, stripeProduct).expect(200);
    await patch(project, first.product_id, { stripe_product_id: null }).expect(200);
    await create(other, stripeProduct).expect(201);
  });

  test('of projects that want it at once exactly one gets it', async () => {
    const projects = await Promise.all(Array.from({ length: 3 }, () => commerce.createProject()));
    const stripeProduct = { stripe_product_id: uniqueId('prod') };
    const made = await Promise.all(projects.map((one) => create(one, stripeProduct)));
    expect(made.map(({ status }) => status).sort((a, b) => a - b)).toEqual([201, 409, 409]);
    const codes = made.flatMap(({ status, body }) => (status === 409 ? [body.code] : []));
    expect(codes).toEqual(['stripe_product_mapped', 'stripe_product_mapped']);
  });
});

const check = async ({ apiKey }: Project, userId: string, query: object = {}) => {
  const { body, headers } = await commerce
    .http()
    .get('/api/v1/entitlements')
    .query({ user_id: userId, ...query })
    .set('authorization', `Bearer ${apiKey}`)
    .expect(200);
  return { ...body, cache: headers['x-cache'] };
};

const sources = (answer: { entitlements: { feature_code: string; source_id: string }[] }) =>
  Object.fromEntries(answer.entitlements.map((one) => [one.feature_code, one.source_id]));

describe('a default product', () => {
  const free = { product_id: 'free', group: 'plans', is_default: true, feature_codes: ['basic', 'shared'] };

  test('is in everybody’s answer at once, and out of it: cached ones too', async () => {
    const project = await commerce.createProject();
    expect(await check(project, 'nobody')).toMatchObject({ entitlements: [], valid_until: null });
    expect(await check(project, 'nobody')).toMatchObject({ cache: 'hit' });
    await create(project, free).expect(201);
    expect((await check(project, 'nobody')).entitlements).toEqual([
      {
        feature_code: 'basic',
        is_active: true,
        valid_from: null,
        valid_to: null,
        current_period_end: null,
        source: 'default',
        source_id: 'free',
        status: 'default',
        quantity: 1,
        confirmed: true,
        kind: 'boolean',
      },
      expect.objectContaining({ feature_code: 'shared', source: 'default' }),
    ]);
    expect((await check(project, 'nobody')).cache).toBe('hit');
    const batch = await commerce
      .http()
      .post('/api/v1/entitlements/batch')
      .set('authorization', `Bearer ${project.apiKey}`)
      .send({ user_ids: ['nobody', 'another'] })
      .expect(200);
    for (const one of batch.body.results) expect(sources(one)).toEqual({ basic: 'free', shared: 'free' });
    await patch(project, 'free', { feature_codes: ['basic'] }).expect(200);
    expect(sources(await check(project, 'nobody'))).toEqual({ basic: 'free' });
    await patch(project, 'free', { is_default: false }).expect(200);
    expect(await check(project, 'nobody')).toMatchObject({ entitlements: [] });
  });

  test('yields to its group, is explained, and is back when the plan ends', async () => {
    const project = await commerce.createProject();
    await create(project, free).expect(201);
    const { productId, stripePriceId } = await commerce.sell(project.projectId, {
      featureCodes: ['shared', 'pro'],
    });
    const userId = uniqueId('user');
    const end = new Date(Math.floor((commerce.clock.now() + dayMs) / 1000) * 1000);
    const { pending } = await giveSubscription(
      commerce.deps.database,
      { projectId: project.projectId, userId },
      { stripePriceId, cancelAt: end, periodEnd: new Date(end.getTime() + dayMs) },
    );
    await publishInvalidations(commerce.deps, pending);
    const besides = sources(await check(project, userId));
    expect(besides).toEqual({ basic: 'free', shared: expect.stringMatching(/^sub/), pro: besides['shared'] });
    await patch(project, productId, { group: 'plans' }).expect(200);
    const answer = await check(project, userId, { explain: 'true' });
    expect(sources(answer)).toEqual({ shared: besides['shared'], pro: besides['shared'] });
    expect(answer.valid_until).toBe(end.toISOString());
    expect(answer.explanation).toMatchObject([
      { source: 'subscription', in_force: true },
      { source: 'default', source_id: 'free', in_force: false, reason: 'group_occupied' },
    ]);
    const until = end.getTime() - commerce.clock.now();
    commerce.clock.advance(until);
    try {
      expect(sources(await check(project, userId))).toEqual({ basic: 'free', shared: 'free' });
    } finally {
      commerce.clock.advance(-until);
    }
  });

  test('does not give way to a grant, but goes after it', async () => {
    const project = await commerce.createProject();
    await create(project, free).expect(201);
    const userId = uniqueId('user');
    const grant = { user_id: userId, project_id: project.projectId, feature_code: 'shared', reason: 'r' };
    const { body } = await commerce.admin('post', '/grant', grant).expect(201);
    expect(sources(await check(project, userId))).toEqual({ basic: 'free', shared: body.grant_id });
  });

  test('a dry run counts all users of the project, and changes nothing', async () => {
    const project = await commerce.createProject();
    const { projectId } = project;
    await commerce.deps.database.user.createMany({
      data: ['a', 'b', 'c'].map((userId) => ({ projectId, userId })),
    });
    const tried = await create(project, { ...free, dry_run: true }).expect(200);
    expect(tried.body).toMatchObject({ affected_users: 3 });
    expect(sources(await check(project, 'a'))).toEqual({});
    await create(project, free).expect(201);
    const off = await patch(project, 'free', { is_default: false, dry_run: true }).expect(200);
    expect(off.body).toMatchObject({
      affected_users: 3,
      changes: [{ path: 'is_default', before: true }],
    });
    expect((await patch(project, 'free', { rank: 1, dry_run: true }).expect(200)).body.affected_users).toBe(
      0,
    );
  });
});

test('usage of a default’s allowance counts by the calendar, for users whom nobody knows too', async () => {
  const project = await commerce.createProject();
  await commerce
    .admin('post', `/projects/${project.projectId}/features`, { feature_code: 'calls', kind: 'metered' })
    .expect(201);
  await create(project, {
    product_id: 'free',
    is_default: true,
    features: [{ feature_code: 'calls', allowance: 10, period: 'billing', rollover: { periods: 2 } }],
  }).expect(201);
  const now = new Date(commerce.clock.now());
  const [start, end] = [0, 1].map((months) =>
    new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth() + months)).toISOString(),
  );
  const use = (event: object) =>
    commerce
      .http()
      .post('/api/v1/usage')
      .set('authorization', `Bearer ${project.apiKey}`)
      .send({ user_id: 'newcomer', feature_code: 'calls', ...event })
      .expect(200);
  expect((await use({ event_id: 'one', quantity: 4 })).body).toMatchObject({
    recorded: true,
    reason: 'within_allowance',
    balance: {
      remaining: 6,
      buckets: [{ source: 'default', source_id: 'free', period_start: start, period_end: end, granted: 10 }],
    },
  });
  expect((await use({ event_id: 'more', quantity: 7 })).body).toMatchObject({
    allowed: false,
    reason: 'insufficient_balance',
  });
  expect((await check(project, 'newcomer', { include: 'usage' })).entitlements).toMatchObject([
    { source: 'default', allowance: 10, period_start: start, period_end: end, balance: { remaining: 6 } },
  ]);
  const { explanation } = await check(project, 'newcomer', { explain: 'true' });
  expect(explanation).toMatchObject([{ usage: [{ feature_code: 'calls', gives: 10, why: 'allowance' }] }]);
});
