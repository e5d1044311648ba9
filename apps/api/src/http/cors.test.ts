import { parseEnv } from '@billing/platform';
import { waitFor } from '@billing/testing';
import express from 'express';
import { environmentSchema } from '../config.ts';
import { startTestApi, testAdmin } from '../testing/start-test-api.test-support.ts';
import type { TestApi } from '../testing/start-test-api.test-support.ts';
import { createApiServer } from './api-server.ts';

const origin = 'https://console.example.com';
const preflight = {
  origin,
  'access-control-request-method': 'POST',
  'access-control-request-headers': 'authorization,content-type',
};

const corsHeadersOf = (response: Response): string[] =>
  [...response.headers.keys()].filter((name) => name.startsWith('access-control-'));

const askAs =
  (api: TestApi) =>
  (method: string, path: string, headers: Record<string, string> = {}): Promise<Response> =>
    fetch(api.url + path, { method, headers });

const paths = ['/api/v1/entitlements?user_id=a', '/api/v1/entitlements/batch'];

describe('with origins', () => {
  let api: TestApi;
  let apiKey: string;
  let fullKey: string;
  let ask: ReturnType<typeof askAs>;
  beforeAll(async () => {
    api = await startTestApi({ env: { CORS_ORIGINS: `http://localhost:5173, ${origin}/` } });
    const project = await api.createProject();
    fullKey = project.apiKey;
    ({ apiKey } = await api.createApiKey(project.projectId, { scopes: ['read'] }));
    ask = askAs(api);
  });
  afterAll(() => api.close());

  test.each(paths)(
    '%s: a preflight lists what may be sent, and is an answer like any other',
    async (path) => {
      const response = await ask('OPTIONS', path, preflight);
      expect([response.status, await response.text()]).toEqual([204, '']);
      expect(Object.fromEntries(response.headers)).toMatchObject({
        'access-control-allow-origin': origin,
        'access-control-allow-methods': 'GET,HEAD,POST',
        'access-control-allow-headers': 'authorization,content-type,x-request-id',
        'access-control-max-age': '600',
        vary: 'Origin',
        'cache-control': 'no-store',
        'x-request-id': expect.stringMatching(/^[\w.:-]{1,128}$/),
      });
      expect(response.headers.get('access-control-allow-credentials')).toBeNull();
    },
  );

  test.each(['http://localhost:5173', origin])('a page of %s reads cold and warm answers', async (page) => {
    const headers = { origin: page, authorization: `Bearer ${apiKey}` };
    const user = `user_of_${new URL(page).host}`;
    const read = () => ask('GET', `/api/v1/entitlements?user_id=${user}`, headers);
    const warmth = (response: Response) => [response.status, response.headers.get('x-cache')];
    const cold = await read();
    expect(warmth(cold)).toEqual([200, 'miss']);
    // A busy machine may miss the moment in which an answer is stored; the next read stores it then.
    const warm = await waitFor(
      async () => {
        const response = await read();
        return warmth(response)[1] === 'hit' ? response : null;
      },
      { what: 'a hit' },
    );
    for (const response of [cold, warm]) {
      expect(response.headers.get('access-control-allow-origin')).toBe(page);
      expect(response.headers.get('access-control-expose-headers')).toContain('retry-after');
      expect(await response.json()).toMatchObject({ user_id: user });
    }
  });

  test('refusals can be read too', async () => {
    for (const [method, path, status] of [
      ['GET', '/api/v1/entitlements?user_id=a', 401],
      ['POST', '/api/v1/entitlements/batch', 401],
      ['POST', '/api/v1/entitlements', 405],
    ] as const) {
      const response = await ask(method, path, { origin });
      expect([response.status, response.headers.get('access-control-allow-origin')]).toEqual([
        status,
        origin,
      ]);
    }
  });

  test.each(['miss', 'hit'])(
    'a key that may do more than read is refused from a page, and the page can read why (%s)',
    async (warmth) => {
      const path = '/api/v1/entitlements?user_id=more';
      if (warmth === 'hit') await ask('GET', path, { authorization: `Bearer ${fullKey}` });
      const response = await ask('GET', path, { origin, authorization: `Bearer ${fullKey}` });
      expect([response.status, response.headers.get('access-control-allow-origin')]).toEqual([403, origin]);
      expect(await response.json()).toMatchObject({ code: 'insufficient_scope' });
      const elsewhere = { origin: 'https://evil.example', authorization: `Bearer ${fullKey}` };
      expect((await ask('GET', path, elsewhere)).status).toBe(403);
      expect((await ask('GET', path, { authorization: `Bearer ${fullKey}` })).status).toBe(200);
    },
  );

  test.each([
    'https://evil.example',
    'https://console.example.com.evil.example',
    'https://sub.console.example.com',
    'http://console.example.com',
    'https://console.example.com:8443',
    'HTTPS://CONSOLE.EXAMPLE.COM',
    'http://localhost',
    'null',
    '*',
    '',
  ])('%p is answered as if there were no CORS', async (foreign) => {
    const headers = { ...preflight, origin: foreign };
    const asked = await ask('OPTIONS', '/api/v1/entitlements?user_id=a', headers);
    expect([asked.status, asked.headers.get('allow'), corsHeadersOf(asked)]).toEqual([405, 'GET, HEAD', []]);
    const read = await ask('GET', '/api/v1/entitlements?user_id=a', {
      origin: foreign,
      authorization: `Bearer ${apiKey}`,
    });
    expect([read.status, corsHeadersOf(read)]).toEqual([200, []]);
  });

  test.each([
    '/api/v1/checkout/create',
    '/api/v1/portal/create-session',
    '/api/v1/metrics/project/x',
    '/api/v1/entitlements/',
    '/api/v1/admin/projects',
    '/api/v1/webhooks/stripe',
    '/api/v1/entitlements-of-others',
    '/api/v1/checkout/../admin/projects',
    '/admin/queues',
    '/metrics',
    '/healthz',
    '/docs',
    '/openapi.json',
    '/nowhere',
  ])('%s is not open to pages', async (path) => {
    for (const method of ['OPTIONS', 'GET', 'POST']) {
      const response = await ask(method, path, { ...preflight, authorization: `Bearer ${testAdmin.secret}` });
      expect([response.status === 204, corsHeadersOf(response)]).toEqual([false, []]);
    }
  });
});

test('without origins the server hands requests to the app itself: checks pay nothing', () => {
  const app = express();
  expect(createApiServer(app).listeners('request')).toEqual([app]);
  expect(createApiServer(app, [origin]).listeners('request')).not.toEqual([app]);
});

test.each([
  '*',
  'null',
  'app.example.com',
  'http://app.example.com',
  'https://a.example/path',
  'https://*.example',
  ',',
])('CORS_ORIGINS=%s ends the start with what is expected', (value) => {
  expect(() => parseEnv(environmentSchema, { CORS_ORIGINS: value })).toThrow(
    /CORS_ORIGINS: expected origins such as https:\/\/app\.example\.com/,
  );
});
