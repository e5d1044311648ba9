import { readConfig } from '../config.ts';
import { startTestApi, testAdmin } from '../testing/start-test-api.test-support.ts';
import type { TestApi } from '../testing/start-test-api.test-support.ts';

const login = `Basic ${Buffer.from(`${testAdmin.name}:${testAdmin.secret}`).toString('base64')}`;
const statusAt = async (url: string, path: string): Promise<number> =>
  (await fetch(url + path, { headers: { authorization: login } })).status;

describe('with OPERATIONS_PORT', () => {
  let api: TestApi;
  beforeAll(async () => {
    api = await startTestApi({ env: { OPERATIONS_PORT: '0' } });
  });
  afterAll(() => api.close());

  test.each(['/metrics', '/docs', '/openapi.json', '/admin/queues'])('%s is only there', async (path) => {
    expect([await statusAt(api.url, path), await statusAt(api.operationsUrl, path)]).toEqual([404, 200]);
  });

  test.each(['/healthz', '/live', '/ready'])('%s is on both', async (path) => {
    expect([await statusAt(api.url, path), await statusAt(api.operationsUrl, path)]).toEqual([200, 200]);
  });

  test.each(['/api/v1/entitlements?user_id=u', '/api/v1/admin/projects'])('%s is not there', async (path) => {
    expect([await statusAt(api.url, path), await statusAt(api.operationsUrl, path)]).toEqual([401, 404]);
  });

  test('its metrics have the requests of both ports', async () => {
    await fetch(`${api.url}/healthz`);
    await fetch(`${api.operationsUrl}/healthz`);
    const text = await (await fetch(`${api.operationsUrl}/metrics`)).text();
    const count = /http_requests_total\{method="GET",route="\/healthz",status_code="200"\} (\d+)/.exec(
      text,
    )?.[1];
    expect(Number(count)).toBeGreaterThanOrEqual(2);
  });
});

test('without it all is on one port', async () => {
  const api = await startTestApi();
  for (const path of ['/metrics', '/docs', '/openapi.json', '/admin/queues', '/healthz'])
    expect([path, await statusAt(api.url, path)]).toEqual([path, 200]);
  await api.close();
});

test('the port of the API ends the start', () => {
  const env = {
    DATABASE_URL: 'postgresql://db/app',
    REDIS_URL: 'redis://redis',
    STRIPE_SECRET_KEY: 'sk_test_1',
    STRIPE_WEBHOOK_SECRET: 'whsec_1',
    ADMIN_API_KEY: 'ops:secret',
    PORT: '8000',
  };
  for (const PORT of ['8000', ''])
    expect(() => readConfig({ ...env, PORT, OPERATIONS_PORT: '8000' })).toThrow(/OPERATIONS_PORT/);
  // One message names all that is wrong.
  const wrong = {
    OPERATIONS_PORT: '8000',
    QUEUE_PREFIX: 'bull',
    REDIS_URL: 'redis+cluster://n',
    LOG_LEVEL: 'all',
  };
  expect(() => readConfig({ ...env, ...wrong })).toThrow(
    /QUEUE_PREFIX: expected a hash tag[^]*OPERATIONS_PORT: expected another port[^]*LOG_LEVEL/,
  );
  expect(readConfig({ ...env, OPERATIONS_PORT: '9000' }).operationsPort).toBe(9000);
});
