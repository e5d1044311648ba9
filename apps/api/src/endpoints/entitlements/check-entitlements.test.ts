import { waitFor } from '@billing/testing';
import { dayMs, hourMs } from '@billing/domain';
import { publishInvalidations } from '@billing/store';
import { giveGrant, givePrice, giveSubscription, setFeatures } from '../../testing/sources.test-support.ts';
import { startTestApi } from '../../testing/start-test-api.test-support.ts';
import type { TestApi } from '../../testing/start-test-api.test-support.ts';

describe('GET /api/v1/entitlements', () => {
  let api: TestApi;
  let project: { projectId: string; apiKey: string; keyId: string };

  beforeAll(async () => {
    api = await startTestApi();
    project = await api.createProject();
  });
  afterAll(() => api.close());

  const check = (query: Record<string, string>, apiKey = project.apiKey) =>
    api.http().get('/api/v1/entitlements').query(query).set('authorization', `Bearer ${apiKey}`);

  it('answers 200 and [] for an unknown user, from the cache the second time', async () => {
    const cold = await check({ user_id: 'nobody' });
    expect(cold.status).toBe(200);
    expect(cold.headers['x-cache']).toBe('miss');
    expect(cold.body).toEqual({
      user_id: 'nobody',
      project_id: project.projectId,
      entitlements: [],
      version: 1,
      as_of: expect.any(String),
      valid_until: null,
      checked_at: expect.any(String),
    });
    // A busy machine may miss the moment in which an answer is stored; the next read stores it then.
    const warm = await waitFor(
      async () => {
        const answer = await check({ user_id: 'nobody' });
        return answer.headers['x-cache'] === 'hit' ? answer : null;
      },
      { what: 'a hit' },
    );
    expect({ ...warm.body, checked_at: '' }).toEqual({ ...cold.body, checked_at: '' });
  });

  it('lists what a subscription gives, and the next read after a change is right', async () => {
    const owner = { projectId: project.projectId, userId: 'subscriber' };
    const { productId, stripePriceId } = await givePrice(api.deps.database, owner.projectId, {
      featureCodes: ['b', 'a'],
    });
    await check({ user_id: owner.userId });
    const periodEnd = new Date(Date.now() + 10 * dayMs);
    const { result, pending } = await giveSubscription(api.deps.database, owner, {
      stripePriceId,
      periodEnd,
      quantity: 3n,
    });
    await publishInvalidations(api.deps, pending);
    const bought = await check({ user_id: owner.userId });
    expect(bought.headers['x-cache']).toBe('miss');
    const validTo = new Date(periodEnd.getTime() + 24 * hourMs).toISOString();
    expect(bought.body.entitlements).toMatchObject([
      { feature_code: 'a', is_active: true, source: 'subscription', source_id: result, quantity: 3 },
      { feature_code: 'b', valid_to: validTo, current_period_end: periodEnd.toISOString() },
    ]);
    expect(bought.body.version).toBe(2);
    expect((await check({ user_id: owner.userId })).headers['x-cache']).toBe('hit');
    const changed = await setFeatures(api.deps.database, { projectId: owner.projectId, productId }, ['c']);
    await publishInvalidations(api.deps, changed.pending);
    const after = await check({ user_id: owner.userId });
    expect(after.body.entitlements.map((entry: { feature_code: string }) => entry.feature_code)).toEqual([
      'c',
    ]);
    expect(after.body.version).toBe(3);
  });

  it('filters by feature_code, warm and cold', async () => {
    const owner = { projectId: project.projectId, userId: 'two features' };
    await giveGrant(api.deps.database, owner, { featureCode: 'x' });
    await giveGrant(api.deps.database, owner, { featureCode: 'y' });
    for (const expected of ['miss', 'hit']) {
      const { body, headers } = await check({ user_id: owner.userId, feature_code: 'y' });
      expect(headers['x-cache']).toBe(expected);
      expect(body.entitlements).toHaveLength(1);
      expect(body.entitlements[0].feature_code).toBe('y');
    }
    expect((await check({ user_id: owner.userId, feature_code: 'z' })).body.entitlements).toEqual([]);
  });

  it('explains what was considered', async () => {
    const owner = { projectId: project.projectId, userId: 'explained' };
    await giveSubscription(api.deps.database, owner, { stripePriceId: 'price_of_nobody' });
    await giveGrant(api.deps.database, owner, { featureCode: 'g' });
    const { body, headers } = await check({ user_id: owner.userId, explain: 'true' });
    expect(headers['x-cache']).toBe('bypass');
    expect(body.explanation).toMatchObject([
      { source: 'subscription', reason: 'unmapped_price', in_force: false, last_event: null },
      { source: 'manual', reason: 'in_force', in_force: true, feature_codes: ['g'] },
    ]);
    // Of one feature: what gives it, and what might.
    await giveGrant(api.deps.database, owner, { featureCode: 'other' });
    const one = await check({ user_id: owner.userId, explain: 'true', feature_code: 'g' });
    expect(one.body.explanation).toEqual(body.explanation);
    const none = await check({ user_id: owner.userId, explain: 'true', feature_code: 'nothing' });
    expect(none.body.explanation).toMatchObject([{ reason: 'unmapped_price' }]);
  });

  it('obeys valid_to to the second, whatever is cached', async () => {
    const owner = { projectId: project.projectId, userId: 'short' };
    const validTo = new Date(api.clock.now() + hourMs);
    await giveGrant(api.deps.database, owner, { featureCode: 'short', validTo });
    expect((await check({ user_id: owner.userId })).body.valid_until).toBe(validTo.toISOString());
    expect((await check({ user_id: owner.userId })).headers['x-cache']).toBe('hit');
    api.clock.advance(validTo.getTime() - api.clock.now());
    const { body } = await check({ user_id: owner.userId });
    expect(body.entitlements).toEqual([]);
  });

  it('reads Postgres once for many readers of one cold key', async () => {
    const before = await missesOf(api);
    const answers = await Promise.all(Array.from({ length: 40 }, () => check({ user_id: 'herd' })));
    expect(answers.every(({ status }) => status === 200)).toBe(true);
    // Forty misses, one read: the answers carry the same moment.
    expect(new Set(answers.map(({ body }) => body.as_of)).size).toBeLessThanOrEqual(2);
    expect(await missesOf(api)).toBeGreaterThan(before);
  });

  it.each<[string, Record<string, string>, number, string]>([
    ['no user_id', {}, 400, 'invalid_request'],
    ['an empty user_id', { user_id: '' }, 400, 'invalid_request'],
    ['a NUL', { user_id: 'a\u0000b' }, 400, 'invalid_request'],
    ['257 characters', { user_id: 'x'.repeat(257) }, 400, 'invalid_request'],
    ['an unknown parameter', { user_id: 'u', users: 'u' }, 400, 'invalid_request'],
    ['a bad explain', { user_id: 'u', explain: 'yes' }, 400, 'invalid_request'],
    ['another project', { user_id: 'u', project_id: 'other' }, 403, 'project_mismatch'],
  ])('refuses %s', async (_what, query, status, code) => {
    const response = await check(query);
    expect(response.status).toBe(status);
    expect(response.headers['content-type']).toContain('application/problem+json');
    expect(response.body).toMatchObject({ status, code, request_id: response.headers['x-request-id'] });
  });

  it.each([
    ['user_id=a&user_id=b', 400],
    ['user_id=%FF', 400],
    ['user_id=%ED%A0%80', 400],
    ['user_id[]=a', 400],
  ])('refuses the query %s', async (query, status) => {
    const response = await api
      .http()
      .get(`/api/v1/entitlements?${query}`)
      .set('authorization', `Bearer ${project.apiKey}`);
    expect(response.status).toBe(status);
  });

  it('wants a key before anything else', async () => {
    const missing = await api.http().get('/api/v1/entitlements');
    expect(missing.status).toBe(401);
    expect(missing.body.code).toBe('missing_api_key');
    expect(missing.headers['www-authenticate']).toBe('Bearer');
    for (const bad of ['nonsense', `${project.apiKey}x`, `proj_${'0'.repeat(38)}`]) {
      const response = await check({}, bad);
      expect(response.status).toBe(401);
      expect(response.body.code).toBe('invalid_api_key');
    }
  });

  it('refuses expired keys, keys without the scope and inactive projects', async () => {
    const other = await api.createProject();
    const expired = await api.createApiKey(other.projectId, { expiresAt: new Date(Date.now() - 1_000) });
    expect((await check({ user_id: 'u' }, expired.apiKey)).body.code).toBe('invalid_api_key');
    const narrow = await api.createApiKey(other.projectId, { scopes: ['checkout'] });
    expect((await check({ user_id: 'u' }, narrow.apiKey)).body.code).toBe('insufficient_scope');
    await api.deps.database.project.update({ where: { id: other.projectId }, data: { isActive: false } });
    // The process may know the key already, and learns of the change a little later.
    const inactive = await waitFor(
      async () => {
        const response = await check({ user_id: 'u' }, other.apiKey);
        return response.status === 200 ? undefined : response;
      },
      { what: 'the end of the project' },
    );
    expect([inactive.status, inactive.body.code]).toEqual([403, 'project_inactive']);
  });

  it('answers 405 with Allow, and 404', async () => {
    const wrong = await api.http().post('/api/v1/entitlements');
    expect([wrong.status, wrong.headers['allow'], wrong.body.code]).toEqual([
      405,
      'GET, HEAD',
      'method_not_allowed',
    ]);
    const nowhere = await api.http().get('/api/v1/nowhere');
    expect([nowhere.status, nowhere.body.code]).toEqual([404, 'route_not_found']);
    expect((await api.http().get('/%E0%A4%A')).status).toBeLessThan(500);
  });
});

async function missesOf(api: TestApi): Promise<number> {
  const metric = await api.deps.metrics.entitlementCacheMisses.get();
  return metric.values[0]?.value ?? 0;
}
