import { endpoints } from '../app.ts';
import { accessKindOf } from '../http/define-endpoint.ts';
import { openSession, publishInvalidations } from '@billing/store';
import { giveSubscription } from '../testing/sources.test-support.ts';
import { startCommerce, uniqueId } from '../testing/start-commerce.test-support.ts';
import type { Commerce } from '../testing/start-commerce.test-support.ts';

/** They only read, or start a run or a replay, whose own `dry_run` has its own answer. */
const withoutDryRun = new Set([
  'startReconcile',
  'replayEvent',
  'replayEvents',
  'exportUser',
  // They only send.
  'pingWebhookEndpoint',
  'startWebhookBackfill',
  'resendWebhookMessage',
]);

test('every admin call that changes something takes dry_run', () => {
  const changing = endpoints.filter((one) => accessKindOf(one) === 'admin' && one.method !== 'get');
  const without = changing.filter(
    ({ operationId, takesDryRun }) => !withoutDryRun.has(operationId) && takesDryRun !== true,
  );
  expect(without.map(({ operationId }) => operationId)).toEqual([]);
});

let api: Commerce;
let projectId: string;
let sold: Awaited<ReturnType<Commerce['sell']>>;
let userId: string;
let customerId: string;
let subscriptionId: string;
let grantId: string;
let keyId: string;
let sessionId: string;

/** Everything that Postgres has, as text, but for what processes say of themselves all the time. */
async function everything(): Promise<Record<string, string>> {
  const { database, outboxCleaner } = api.deps;
  await outboxCleaner.flush();
  const tables = await database.$queryRaw<{ name: string }[]>`
    SELECT relname AS name FROM pg_class WHERE relkind IN ('r', 'p') AND relnamespace = 'public'::regnamespace
      AND relname <> 'cache_processes'`;
  const rows = tables.map(async ({ name }) => {
    const [row] = await database.$queryRawUnsafe<{ text: string | null }[]>(
      `SELECT string_agg(t::text, E'\n' ORDER BY t::text) AS text FROM public."${name}" t`,
    );
    return [name, row?.text ?? ''] as const;
  });
  return Object.fromEntries(await Promise.all(rows));
}

beforeAll(async () => {
  api = await startCommerce();
  ({ projectId } = await api.createProject());
  sold = await api.sell(projectId, { featureCodes: ['premium'] });
  [userId, customerId] = [uniqueId('user'), uniqueId('cus')];
  const { database } = api.deps;
  const { result, pending } = await giveSubscription(
    database,
    { projectId, userId },
    { stripePriceId: sold.stripePriceId },
  );
  subscriptionId = result;
  // Else the outbox would publish it at any time.
  await publishInvalidations(api.deps, pending);
  await database.subscription.update({
    where: { id: subscriptionId },
    data: { stripeCustomerId: customerId },
  });
  await api.admin('post', project('/features'), { feature_code: 'credits', kind: 'metered' }).expect(201);
  const grant = { project_id: projectId, user_id: userId, feature_code: 'beta', reason: 'trial' };
  grantId = (await api.admin('post', '/grant', grant).expect(201)).body.grant_id;
  keyId = (await api.admin('post', `/projects/${projectId}/api-keys`, {}).expect(201)).body.key_id;
  const digest = new TextEncoder().encode('of the test');
  sessionId = (await openSession(database, { digest, name: 'alice', now: Date.now() })).id;
});
afterAll(() => api.close());

type Row = {
  call: string;
  method: 'post' | 'patch' | 'delete';
  path: () => string;
  body?: () => Record<string, unknown>;
  changes: () => object[];
  users: number;
};

const project = (rest = '') => `/projects/${projectId}${rest}`;
const from = (path: string, after: unknown) => ({ path, before: null, after });

const rows: Row[] = [
  {
    call: 'create a project',
    method: 'post',
    path: () => '/projects',
    body: () => ({ project_id: 'tried', name: 'Tried' }),
    changes: () => [from('name', 'Tried')],
    users: 0,
  },
  {
    call: 'change a policy',
    method: 'patch',
    path: project,
    body: () => ({ policy: { past_due_grace_days: 3 } }),
    changes: () => [from('policy.past_due_grace_days', 3)],
    users: 1,
  },
  {
    call: 'rename a project',
    method: 'patch',
    path: project,
    body: () => ({ name: 'Renamed' }),
    changes: () => [expect.objectContaining({ path: 'name', after: 'Renamed' })],
    users: 0,
  },
  {
    call: 'create a key',
    method: 'post',
    path: () => project('/api-keys'),
    body: () => ({ name: 'backend', scopes: ['read'] }),
    changes: () => [from('name', 'backend'), from('prefix', expect.any(String)), from('scopes', ['read'])],
    users: 0,
  },
  {
    call: 'rotate a key',
    method: 'post',
    path: () => project(`/api-keys/${keyId}/rotate`),
    body: () => ({}),
    changes: () => expect.arrayContaining([from('ends_at', expect.any(String))]),
    users: 0,
  },
  {
    call: 'revoke a key',
    method: 'delete',
    path: () => project(`/api-keys/${keyId}`),
    changes: () => [{ path: 'prefix', before: expect.any(String), after: null }],
    users: 0,
  },
  {
    call: "end somebody's session",
    method: 'delete',
    path: () => `/sessions/${sessionId}`,
    changes: () => [{ path: 'name', before: 'alice', after: null }],
    users: 0,
  },
  {
    call: 'describe a feature',
    method: 'post',
    path: () => project('/features'),
    body: () => ({ feature_code: 'calls', kind: 'metered', thresholds: [80] }),
    changes: () => [from('counted', false), from('kind', 'metered'), from('thresholds', [80])],
    users: 0,
  },
  {
    call: 'change a feature',
    method: 'patch',
    path: () => project('/features/credits'),
    body: () => ({ unit: 'credit' }),
    changes: () => [from('unit', 'credit')],
    users: 0,
  },
  {
    call: 'change an allowance',
    method: 'patch',
    path: () => project(`/products/${sold.productId}`),
    body: () => ({ features: [{ feature_code: 'credits', allowance: 5, period: 'month' }] }),
    changes: () =>
      expect.arrayContaining([
        { path: 'feature_codes', before: ['premium'], after: ['premium', 'credits'] },
        from('features', { credits: expect.objectContaining({ allowance: 5 }) }),
      ]),
    users: 1,
  },
  {
    call: 'create a product',
    method: 'post',
    path: () => project('/products'),
    body: () => ({ product_id: 'team', name: 'Team', feature_codes: ['seats'] }),
    changes: () => [from('feature_codes', ['seats']), from('name', 'Team')],
    users: 0,
  },
  {
    call: 'change what a product gives',
    method: 'patch',
    path: () => project(`/products/${sold.productId}`),
    body: () => ({ feature_codes: ['premium', 'export'] }),
    changes: () => [{ path: 'feature_codes', before: ['premium'], after: ['premium', 'export'] }],
    users: 1,
  },
  {
    call: 'create a price',
    method: 'post',
    path: () => project('/prices'),
    body: () => ({
      product_id: sold.productId,
      stripe_price_id: 'price_tried',
      amount: 500,
      currency: 'eur',
      interval: 'month',
    }),
    changes: () => expect.arrayContaining([from('amount', 500), from('stripe_price_id', 'price_tried')]),
    users: 0,
  },
  {
    call: 'archive a price',
    method: 'patch',
    path: () => project(`/prices/${sold.priceId}`),
    body: () => ({ is_archived: true }),
    changes: () => [{ path: 'is_archived', before: false, after: true }],
    users: 0,
  },
  {
    call: 'map a customer',
    method: 'post',
    path: () => project('/customers'),
    body: () => ({ user_id: 'other', stripe_customer_id: customerId }),
    changes: () => [
      from(`customer.${customerId}.${projectId}`, 'other'),
      { path: `subscription.${subscriptionId}.${projectId}`, before: userId, after: 'other' },
    ],
    users: 2,
  },
  {
    call: 'grant',
    method: 'post',
    path: () => '/grant',
    body: () => ({ project_id: projectId, user_id: 'new', feature_code: 'beta', reason: 'trial' }),
    changes: () => expect.arrayContaining([from('feature_code', 'beta'), from('user_id', 'new')]),
    users: 1,
  },
  {
    call: 'grant an amount',
    method: 'post',
    path: () => '/grant',
    body: () => ({
      project_id: projectId,
      user_id: 'new',
      feature_code: 'credits',
      amount: 500,
      reason: 'sorry',
    }),
    changes: () => expect.arrayContaining([from('feature_code', 'credits'), from('amount', 500)]),
    users: 1,
  },
  {
    call: 'revoke a grant',
    method: 'post',
    path: () => '/revoke',
    body: () => ({ grant_id: grantId, reason: 'over' }),
    changes: () => expect.arrayContaining([{ path: 'feature_code', before: 'beta', after: null }]),
    users: 1,
  },
];

test.each(rows)('$call: a dry run says what would change, and keeps nothing', async (row) => {
  const { method, body } = row;
  const before = await everything();
  const dry = body === undefined ? `${row.path()}?dry_run=true` : row.path();
  const answer = await api.admin(method, dry, body && { ...body(), dry_run: true });
  expect([answer.status, answer.body]).toEqual([200, { changes: row.changes(), affected_users: row.users }]);
  expect(await everything()).toEqual(before);
});

test('a dry run is refused as the call itself', async () => {
  const taken = { project_id: projectId, name: 'Taken' };
  const unknown = { grant_id: 'grant_unknown', reason: 'over' };
  for (const [path, body] of [
    ['/projects', taken],
    ['/revoke', unknown],
    ['/grant', {}],
  ] as const) {
    const [itself, tried] = [
      await api.admin('post', path, body),
      await api.admin('post', path, { ...body, dry_run: true }),
    ];
    expect([tried.status, tried.body.code]).toEqual([itself.status, itself.body.code]);
    expect(tried.status).toBeGreaterThanOrEqual(400);
  }
});

test('a key is in force while its revocation is only tried', async () => {
  const { body: key } = await api.admin('post', project('/api-keys'), {}).expect(201);
  await api.admin('delete', project(`/api-keys/${key.key_id}?dry_run=true`)).expect(200);
  await api.admin('patch', project(), { is_active: false, dry_run: true }).expect(200);
  const check = api.http().get('/api/v1/entitlements').query({ user_id: userId });
  const answer = await check.set('authorization', `Bearer ${key.api_key}`);
  expect(answer.status).toBe(200);
});
