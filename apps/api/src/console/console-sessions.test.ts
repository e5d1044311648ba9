import { hourMs, minuteMs } from '@billing/domain';
import { startTestApi, testAdmin } from '../testing/start-test-api.test-support.ts';
import type { TestApi } from '../testing/start-test-api.test-support.ts';
import { noSessionCookie, readSessionCookie, sessionCookie } from './session-cookie.ts';
import { createSessionToken, readSessionToken } from './session-token.ts';

const viewer = { name: 'watcher', secret: `viewer-${'v'.repeat(24)}` };
const keys = `${testAdmin.name}:${testAdmin.secret},${viewer.name}/viewer:${viewer.secret}`;

let api: TestApi;
beforeAll(async () => {
  api = await startTestApi({ env: { ADMIN_API_KEY: keys } });
});
afterAll(() => api.close());

type Sent = { method?: string; headers?: Record<string, string>; body?: object; url?: string };

async function send(path: string, { method = 'GET', headers = {}, body, url = api.url }: Sent = {}) {
  const response = await fetch(url + path, {
    method,
    headers: { ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...headers },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  const answer = (text === '' ? {} : JSON.parse(text)) as Record<string, unknown>;
  return { status: response.status, body: answer, cookie: response.headers.get('set-cookie') };
}

type Name = { name: string; secret: string };

/** The headers that the console's page sends. */
async function signIn(who: Name = testAdmin, url = api.url): Promise<Record<string, string>> {
  const { status, cookie } = await send('/console/session', { method: 'POST', body: who, url });
  expect(status).toBe(201);
  return { cookie: cookie?.split(';', 1)[0] ?? '', 'x-console': '1', origin: url };
}

const projects = '/api/v1/admin/projects';
const listAs = async (headers: Record<string, string>) => (await send(projects, { headers })).status;

test('a name and its secret begin a session, by a cookie that no script and no other site can use', async () => {
  const { status, body, cookie } = await send('/console/session', { method: 'POST', body: testAdmin });
  expect([status, body]).toEqual([201, { name: testAdmin.name, role: 'admin', project_id: null }]);
  expect(cookie).toMatch(/^billing_console=[\w.-]{87}; Path=\/; Max-Age=43200; HttpOnly; SameSite=Strict$/);
  const headers = await signIn(viewer);
  const who = await send('/console/session', { headers });
  expect([who.status, who.body]).toEqual([200, { name: 'watcher', role: 'viewer', project_id: null }]);
  expect(api.logs.join('')).toMatch(/"console_signed_in"/);
  expect(api.logs.join('')).not.toContain(headers['cookie']?.split('=')[1]);
});

test.each<[string, object, number, string]>([
  ['a wrong secret', { ...testAdmin, secret: 'wrong' }, 401, 'invalid_api_key'],
  ["another name's secret", { name: viewer.name, secret: testAdmin.secret }, 401, 'invalid_api_key'],
  ['no secret', { name: viewer.name }, 400, 'invalid_request'],
])('%s begins none', async (_what, body, status, code) => {
  const answer = await send('/console/session', { method: 'POST', body });
  expect([answer.status, answer.body['code'], answer.cookie]).toEqual([status, code, null]);
});

test('a page of another site cannot sign anybody in', async () => {
  const headers = { origin: 'https://evil.example' };
  const answer = await send('/console/session', { method: 'POST', body: testAdmin, headers });
  expect([answer.status, answer.body['code'], answer.cookie]).toEqual([403, 'origin_not_allowed', null]);
});

describe('a session', () => {
  test('counts under /api/v1/admin with the header of the console, and nowhere else', async () => {
    const { origin: _origin, ...headers } = await signIn();
    expect(await listAs(headers)).toBe(200);
    const { 'x-console': _header, ...without } = headers;
    expect(await listAs(without)).toBe(401);
    expect((await send('/console/session', { headers: without })).status).toBe(401);
    for (const path of ['/api/v1/entitlements?user_id=u', '/admin/queues'])
      expect((await send(path, { headers })).status).toBe(401);
    // A secret that is sent decides.
    expect(await listAs({ ...headers, authorization: 'Bearer wrong' })).toBe(401);
  });

  test('changes something only from a page of this service', async () => {
    const { origin, ...headers } = await signIn();
    const create = (more: object) =>
      send(projects, {
        method: 'POST',
        headers: { ...headers, ...more },
        body: { project_id: 'by_console', name: 'By console' },
      });
    for (const more of [{}, { origin: 'https://evil.example' }, { origin: 'null' }]) {
      const { status, body } = await create(more);
      expect([more, status, body['code']]).toEqual([more, 403, 'origin_not_allowed']);
    }
    expect(await listAs({ ...headers, origin: 'https://evil.example' })).toBe(403);
    expect((await create({ origin })).status).toBe(201);
    const audit = await send('/api/v1/admin/audit?action=project.create', { headers });
    expect(audit.body['data']).toMatchObject([{ actor: testAdmin.name, project_id: 'by_console' }]);
  });

  test('has the role of its name', async () => {
    const headers = await signIn(viewer);
    expect(await listAs(headers)).toBe(200);
    const body = { project_id: 'none', name: 'None' };
    const refused = await send(projects, { method: 'POST', headers, body });
    expect([refused.status, refused.body['code']]).toEqual([403, 'insufficient_role']);
  });

  test('ends when its person signs out, with its cookie', async () => {
    const headers = await signIn();
    const { origin: _origin, ...withoutOrigin } = headers;
    const sign = (of: Record<string, string>) => send('/console/session', { method: 'DELETE', headers: of });
    expect((await sign(withoutOrigin)).status).toBe(403);
    const { status, cookie } = await sign(headers);
    expect([status, cookie]).toEqual([204, expect.stringMatching(/^billing_console=; .*Max-Age=0/)]);
    expect(await listAs(headers)).toBe(401);
  });

  test('ends 30 minutes after its last use, and after 12 hours', async () => {
    const headers = await signIn();
    api.clock.advance(29 * minuteMs);
    expect(await listAs(headers)).toBe(200);
    api.clock.advance(29 * minuteMs);
    expect(await listAs(headers)).toBe(200);
    api.clock.advance(31 * minuteMs);
    expect(await listAs(headers)).toBe(401);

    const busy = await signIn();
    for (let spent = 0; spent < 12 * hourMs; spent += 20 * minuteMs) {
      expect(await listAs(busy)).toBe(200);
      api.clock.advance(20 * minuteMs);
    }
    expect(await listAs(busy)).toBe(401);
  });

  test('ends with its name', async () => {
    const headers = await signIn(viewer);
    const without = await startTestApi({ database: api.database, redis: api.redis });
    try {
      const { url } = without;
      const answer = await send('/console/session', { url, headers: { ...headers, origin: url } });
      expect([answer.status, answer.body['code']]).toEqual([401, 'invalid_api_key']);
    } finally {
      await without.close();
    }
    expect(await listAs(headers)).toBe(200);
  });

  test('is listed, and ended by an administrator', async () => {
    const mine = await signIn();
    api.clock.advance(1);
    const theirs = await signIn(viewer);
    const { body } = await send('/api/v1/admin/sessions?limit=1', { headers: mine });
    const [newest] = body['data'] as { session_id: string; name: string }[];
    expect(newest).toMatchObject({ session_id: expect.stringMatching(/^sess_/), name: viewer.name });
    const path = `/api/v1/admin/sessions/${newest?.session_id}`;
    const end = (headers: Record<string, string>, query = '') =>
      send(path + query, { method: 'DELETE', headers });
    expect((await end(theirs)).body['code']).toBe('insufficient_role');
    expect((await end(mine, '?dry_run=true')).body).toEqual({
      changes: [{ path: 'name', before: viewer.name, after: null }],
      affected_users: 0,
    });
    expect(await listAs(theirs)).toBe(200);
    expect((await end(mine)).status).toBe(204);
    expect(await listAs(theirs)).toBe(401);
    expect((await end(mine)).body['code']).toBe('session_not_found');
    const names = await send('/api/v1/admin/names', { headers: mine });
    expect(names.body).toEqual({
      data: [
        { name: testAdmin.name, role: 'admin', project_id: null },
        { name: viewer.name, role: 'viewer', project_id: null },
      ],
    });
  });
});

test('wrong secrets and cookies are throttled, and right ones are not', async () => {
  const env = { AUTH_FAILURES_PER_MINUTE: '5', PUBLIC_URL: 'https://billing.example.com/' };
  const bounded = await startTestApi({ database: api.database, redis: api.redis, env });
  try {
    const { url } = bounded;
    const wrong = { method: 'POST', body: { ...testAdmin, secret: 'wrong' }, url };
    const junk = { url, headers: { cookie: 'billing_console=junk', 'x-console': '1' } };
    const statuses = new Set<number>();
    for (let tries = 0; tries < 12; tries += 1) {
      statuses.add((await send('/console/session', wrong)).status);
      statuses.add((await send(projects, junk)).status);
    }
    expect([...statuses].toSorted((one, other) => one - other)).toEqual([401, 429]);
    // Beside PUBLIC_URL the Host does not count.
    const headers = await signIn(testAdmin, url);
    expect((await send(projects, { url, headers })).status).toBe(403);
    const origin = 'https://billing.example.com';
    expect((await send(projects, { url, headers: { ...headers, origin } })).status).toBe(200);
  } finally {
    await bounded.close();
  }
});

test('in production the cookie is tied to the host and to https', () => {
  const production = { environment: 'production' } as const;
  expect(sessionCookie(production, 'token')).toBe(
    '__Host-billing_console=token; Path=/; Max-Age=43200; HttpOnly; SameSite=Strict; Secure',
  );
  expect(noSessionCookie(production)).toMatch(/^__Host-billing_console=; .*Max-Age=0; .*Secure$/);
  expect(readSessionCookie(production, 'a=b; __Host-billing_console=token; c=d')).toBe('token');
  expect(readSessionCookie(production, 'billing_console=token')).toBeNull();
});

test('a token that nobody was given is nobody’s', () => {
  const owner = { name: 'alice', role: 'admin', projectId: null, secret: 'of-alice' } as const;
  const other = { ...owner, name: 'bob', secret: 'of-bob' };
  const { token, digest } = createSessionToken(owner);
  expect(readSessionToken(token, [other, owner])).toEqual({ owner, digest });
  const flipped = token.replace(/^./, (first) => (first === 'A' ? 'B' : 'A'));
  for (const wrong of [flipped, `${token}A`, token.slice(1), '', 'a.b'])
    expect(readSessionToken(wrong, [other, owner])).toBeNull();
  // Its secret has gone, its name has, or both are somebody else's now.
  for (const left of [{ ...owner, secret: 'new' }, { ...owner, name: 'renamed' }, other])
    expect(readSessionToken(token, [left])).toBeNull();
});
