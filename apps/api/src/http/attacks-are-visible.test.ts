import { shortAddressOf } from '@billing/platform';
import { waitFor } from '@billing/testing';
import { startTestApi, testAdmin } from '../testing/start-test-api.test-support.ts';
import type { TestApi } from '../testing/start-test-api.test-support.ts';

let api: TestApi;
beforeAll(async () => {
  api = await startTestApi({ env: { METRICS_TOKEN: 'scrape', AUTH_FAILURES_PER_MINUTE: '20' } });
});
afterAll(() => api.close());

type Line = Record<string, unknown> & { event?: string };
const linesOf = (event: string): Line[] =>
  api.logs
    .join('')
    .split('\n')
    .filter((line) => line !== '')
    .map((line): Line => JSON.parse(line))
    .filter((line) => line.event === event);

const ask = (path: string, headers: Record<string, string> = {}, method = 'GET') =>
  fetch(api.url + path, { method, headers });
const metricsText = async (): Promise<string> =>
  (await ask('/metrics', { authorization: 'Bearer scrape' })).text();
const countOf = (text: string, labels: string): number =>
  Number(
    text
      .split('\n')
      .find((line) => line.startsWith(`auth_failures_total{${labels}}`))
      ?.split(' ')
      .at(-1),
  );
const basic = (text: string): string => `Basic ${Buffer.from(text).toString('base64')}`;

const failures = [
  ['admin', 'missing', '/api/v1/admin/projects', {}, 'GET', '/api/v1/admin/projects'],
  [
    'admin',
    'wrong',
    '/api/v1/admin/projects/x/prices',
    { authorization: 'Bearer no' },
    'GET',
    '/api/v1/admin/projects/:project_id/prices',
  ],
  ['project', 'missing', '/api/v1/entitlements/batch', {}, 'POST', '/api/v1/entitlements/batch'],
  [
    'project',
    'wrong',
    '/api/v1/entitlements/batch',
    { authorization: 'Bearer no' },
    'POST',
    '/api/v1/entitlements/batch',
  ],
  [
    'queues',
    'wrong',
    '/admin/queues/api/queues',
    { authorization: basic('tester:no') },
    'GET',
    '/admin/queues',
  ],
  ['metrics', 'missing', '/metrics', {}, 'GET', '/metrics'],
  ['metrics', 'wrong', '/metrics', { authorization: 'Bearer no' }, 'GET', '/metrics'],
  ['webhooks', 'header', '/api/v1/webhooks/stripe', {}, 'POST', '/api/v1/webhooks/stripe'],
  [
    'webhooks',
    'mismatch',
    '/api/v1/webhooks/stripe',
    { 'stripe-signature': `t=1,v1=${'0'.repeat(64)}` },
    'POST',
    '/api/v1/webhooks/stripe',
  ],
] as const;

test.each(failures)('%s %s is counted and logged, with its route', async (...failure) => {
  const [area, reason, path, headers, method, route] = failure;
  const labels = `area="${area}",reason="${reason}"`;
  const before = countOf(await metricsText(), labels);
  expect(before).toBeGreaterThanOrEqual(0);
  const requestId = `try-${area}-${reason}`;
  const response = await ask(path, { ...headers, 'x-request-id': requestId }, method);
  expect(response.status).toBe(401);
  expect(countOf(await metricsText(), labels)).toBe(before + 1);
  const line = await waitFor(() => linesOf('auth_failed').find((one) => one['request_id'] === requestId), {
    what: 'the line',
  });
  expect(line).toMatchObject({ area, reason, method, address: '127.0.0.0/24' });
  const access = await waitFor(
    () => linesOf('request_finished').find((one) => one['request_id'] === requestId),
    { what: 'the line of the access log' },
  );
  expect(access).toMatchObject({ route, status_code: 401 });
  const counted = `http_requests_total{method="${method}",route="${route}",status_code="401"}`;
  expect(await metricsText()).toContain(counted);
});

test('a flood of refusals writes a few lines and their number', async () => {
  const before = api.logs.length;
  await Promise.all(
    Array.from({ length: 300 }, () => ask('/api/v1/admin/projects', { authorization: 'Bearer no' })),
  );
  const sum = (event: string): number =>
    linesOf(event).reduce((total, line) => total + Number(line['count']), 0);
  await waitFor(() => sum('requests_refused') > 150 && sum('auth_failures_not_logged') > 150, {
    what: 'their numbers',
  });
  expect(api.logs.length - before).toBeLessThan(200);
  expect(countOf(await metricsText(), 'area="admin",reason="throttled"')).toBeGreaterThan(200);
  const right = await ask('/api/v1/admin/projects', { authorization: `Bearer ${testAdmin.secret}` });
  expect(right.status).toBe(200);
});

test('X-Forwarded-For without TRUST_PROXY is one warning, whatever is called', async () => {
  const forwarded = { 'x-forwarded-for': '198.51.100.1' };
  // The busiest call, and of some products the only one.
  await ask('/api/v1/entitlements?user_id=u', forwarded);
  expect(linesOf('forwarded_for_ignored')).toHaveLength(1);
  for (let sent = 0; sent < 3; sent += 1) await ask('/healthz', forwarded);
  expect(linesOf('forwarded_for_ignored')).toHaveLength(1);
});

test.each([
  ['203.0.113.77', '203.0.113.0/24'],
  ['::ffff:203.0.113.77', '203.0.113.0/24'],
  ['2001:db8:1:2:3:4:5:6', '2001:db8:1::/48'],
  ['2001:db8::1', '2001:db8:0::/48'],
  ['::1', '0:0:0::/48'],
  [undefined, 'unknown'],
])('%p is logged as %s', (address, short) => {
  expect(shortAddressOf(address)).toBe(short);
});
