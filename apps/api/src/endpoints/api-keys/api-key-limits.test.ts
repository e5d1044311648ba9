import { waitFor } from '@billing/testing';
import { startTestApi, testAdmin } from '../../testing/start-test-api.test-support.ts';
import type { TestApi } from '../../testing/start-test-api.test-support.ts';

let api: TestApi;
let projectId: string;
beforeAll(async () => {
  api = await startTestApi({ env: { TRUST_PROXY: 'loopback' } });
  ({ projectId } = await api.createProject());
});
afterAll(() => api.close());

const admin = (path: string, body: object) =>
  api
    .http()
    .post(`/api/v1/admin/projects/${projectId}/api-keys${path}`)
    .set('authorization', `Bearer ${testAdmin.secret}`)
    .send(body);
const check = (apiKey: string, from = '127.0.0.1') =>
  api
    .http()
    .get('/api/v1/entitlements?user_id=u')
    .set({ authorization: `Bearer ${apiKey}`, 'x-forwarded-for': from });
const codeOf = async (asked: ReturnType<typeof check>): Promise<string> => {
  const { status, body } = await asked;
  return status === 200 ? 'ok' : `${status} ${body.code}`;
};

test('a key has the rights that it was made with', async () => {
  const { body } = await admin('', {}).expect(201);
  expect(body).toMatchObject({
    scopes: ['read', 'checkout', 'usage'],
    allowed_ips: [],
    rate_limit_per_second: null,
    expires_at: null,
  });
});

test('from another address than its own ones a key is 403 address_not_allowed', async () => {
  const { body } = await admin('', { allowed_ips: ['192.0.2.0/24', '2001:db8::/32', '198.51.100.7'] }).expect(
    201,
  );
  const apiKey: string = body.api_key;
  for (const [from, code] of [
    ['192.0.2.200', 'ok'],
    ['::ffff:192.0.2.200', 'ok'],
    ['198.51.100.7', 'ok'],
    ['2001:db8:7::1', 'ok'],
    ['192.0.3.1', '403 address_not_allowed'],
    ['198.51.100.8', '403 address_not_allowed'],
    ['2001:db9::1', '403 address_not_allowed'],
  ] as const)
    // Twice: the first look-up and the one from memory.
    for (let turn = 0; turn < 2; turn += 1)
      expect([from, await codeOf(check(apiKey, from))]).toEqual([from, code]);
});

test.each([['10.0.0.0/33'], ['10.0.0'], ['example.com'], ['::1/129'], ['']])(
  '%p is no network',
  async (network) => {
    const { body } = await admin('', { allowed_ips: [network] }).expect(400);
    expect(body.errors[0].path).toBe('allowed_ips.0');
  },
);

test('a rate of its own holds for a key alone', async () => {
  const slow: string = (await admin('', { rate_limit_per_second: 2 }).expect(201)).body.api_key;
  const free: string = (await admin('', {}).expect(201)).body.api_key;
  const many = (apiKey: string) => Promise.all(Array.from({ length: 20 }, () => codeOf(check(apiKey))));
  const answers = await many(slow);
  expect(answers.filter((answer) => answer === '429 rate_limited').length).toBeGreaterThan(10);
  expect((await check(slow)).headers['ratelimit-limit']).toBe('2');
  expect(new Set(await many(free))).toEqual(new Set(['ok']));
});

describe('rotate', () => {
  const make = async (request: object = {}) =>
    (await admin('', { name: 'Backend', ...request }).expect(201)).body;

  test('gives a key with the same rights; the old one ends by itself', async () => {
    const rights = { scopes: ['read'], allowed_ips: ['127.0.0.0/8'], rate_limit_per_second: 1_000 };
    const old = await make(rights);
    const before = Date.now();
    const { body } = await admin(`/${old.key_id}/rotate`, {}).expect(201);
    expect(body).toMatchObject({ name: 'Backend', ...rights, expires_at: null, revoked_at: null });
    expect(body.key_id).not.toBe(old.key_id);
    expect(body.replaces.key_id).toBe(old.key_id);
    const overlapMs = Date.parse(body.replaces.expires_at) - before;
    expect(overlapMs / 3_600_000).toBeCloseTo(24, 1);
    expect([await codeOf(check(old.api_key)), await codeOf(check(body.api_key))]).toEqual(['ok', 'ok']);
    const { data } = (
      await api
        .http()
        .get(`/api/v1/admin/audit?target_id=${old.key_id}&action=api_key.rotate`)
        .set('authorization', `Bearer ${testAdmin.secret}`)
    ).body;
    expect(data[0]).toMatchObject({ details: { new_key_id: body.key_id } });
  });

  test('a fraction of an hour is an overlap; with none the old key is refused at once', async () => {
    const [slow, now] = [await make(), await make()];
    await check(slow.api_key);
    await check(now.api_key);
    await admin(`/${slow.key_id}/rotate`, { overlap_hours: 0.0003 }).expect(201);
    expect(await codeOf(check(slow.api_key))).toBe('ok');
    await waitFor(async () => (await codeOf(check(slow.api_key))) === '401 invalid_api_key', {
      what: 'the end of the overlap',
      timeoutMs: 5_000,
    });
    await admin(`/${now.key_id}/rotate`, { overlap_hours: 0 }).expect(201);
    await waitFor(async () => (await codeOf(check(now.api_key))) === '401 invalid_api_key', {
      what: 'the end of the old key',
      timeoutMs: 5_000,
    });
  });

  test('never beyond the own end of the old key', async () => {
    const expires = new Date(Date.now() + 60_000).toISOString();
    const old = await make({ expires_at: expires });
    const { body } = await admin(`/${old.key_id}/rotate`, { overlap_hours: 720 }).expect(201);
    expect(body.replaces.expires_at).toBe(expires);
  });

  test('of a key that is revoked or over is 409 key_not_active, and makes none', async () => {
    const revoked = await make();
    await api
      .http()
      .delete(`/api/v1/admin/projects/${projectId}/api-keys/${revoked.key_id}`)
      .set('authorization', `Bearer ${testAdmin.secret}`)
      .expect(204);
    const over = await api.createApiKey(projectId, { expiresAt: new Date(Date.now() - 1_000) });
    const count = await api.deps.database.apiKey.count();
    for (const keyId of [revoked.key_id, over.keyId])
      expect((await admin(`/${keyId}/rotate`, {}).expect(409)).body.code).toBe('key_not_active');
    expect((await admin('/key_none/rotate', {}).expect(404)).body.code).toBe('api_key_not_found');
    for (const hours of [-1, 721, 'x'])
      await admin(`/${revoked.key_id}/rotate`, { overlap_hours: hours }).expect(400);
    expect(await api.deps.database.apiKey.count()).toBe(count);
  });
});
