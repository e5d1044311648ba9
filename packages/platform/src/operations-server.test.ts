import { once } from 'node:events';
import { connect } from 'node:net';
import { text as readAll } from 'node:stream/consumers';
import { createAuthFailures } from './auth/auth-failures.ts';
import { createLogger } from './logging/logger.ts';
import { createMetrics } from './metrics.ts';
import type { ReadinessAnswer } from './readiness.ts';
import { createOperationsServer, type OperationsServer } from './operations-server.ts';

let server: OperationsServer;
let readiness: ReadinessAnswer = {
  status: 200,
  body: { status: 'ready', checks: { database: 'ok', redis: 'ok' } },
};

/** A server whose metrics take so many wrong tokens a minute. */
function serve(perMinute: number): Promise<OperationsServer> {
  const metrics = createMetrics({ service: 'worker' });
  const logger = createLogger({ service: 'worker', level: 'error', format: 'json' });
  return createOperationsServer({
    port: 0,
    host: '127.0.0.1',
    ready: async () => readiness,
    metrics,
    authFailures: createAuthFailures({ perMinute, metrics, logger, areas: ['metrics'] }),
    metricsToken: 'scrape-me',
  });
}

beforeAll(async () => {
  server = await serve(1_000);
});

afterAll(async () => {
  await server.close();
});

function get(
  path: string,
  init: { method?: string; headers?: Record<string, string> } = {},
): Promise<Response> {
  return fetch(`http://127.0.0.1:${server.port}${path}`, {
    ...init,
    headers: { connection: 'close', ...init.headers },
  });
}

test('health and liveness', async () => {
  await expect((await get('/healthz')).json()).resolves.toEqual({ status: 'healthy' });
  await expect((await get('/live?x=1')).json()).resolves.toEqual({ status: 'alive' });
});

test('what is answered before its body is whole gets one answer, and the connection ends', async () => {
  const socket = connect(server.port, '127.0.0.1');
  await once(socket, 'connect');
  socket.write('POST /metrics HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\nhalf');
  const answer = await readAll(socket);
  expect(answer).toMatch(/^HTTP\/1\.1 405 [^]*\r\nconnection: close\r\n/i);
  expect(answer.match(/HTTP\/1\.1/g)).toHaveLength(1);
});

test('readiness says which dependency is missing', async () => {
  const ready = await get('/ready');
  expect(ready.status).toBe(200);
  await expect(ready.json()).resolves.toEqual({ status: 'ready', checks: { database: 'ok', redis: 'ok' } });
  const checks = { database: 'ok', redis: 'unreachable' };
  readiness = { status: 503, body: { status: 'not ready', checks } };
  const notReady = await get('/ready');
  expect(notReady.status).toBe(503);
  await expect(notReady.json()).resolves.toEqual({ status: 'not ready', checks });
});

test('metrics need their token', async () => {
  const refusals = [
    [{}, 'missing_api_key'],
    [{ authorization: 'Bearer wrong' }, 'invalid_api_key'],
    [{ authorization: 'scrape-me' }, 'invalid_api_key'],
  ] as const;
  for (const [headers, code] of refusals) {
    const refused = await get('/metrics', { headers });
    expect(refused.status).toBe(401);
    expect(refused.headers.get('www-authenticate')).toBe('Bearer');
    await expect(refused.json()).resolves.toMatchObject({ status: 401, code });
  }
  const answer = await get('/metrics', { headers: { authorization: 'Bearer scrape-me' } });
  expect(answer.headers.get('content-type')).toMatch(/^text\/plain; version=/);
  await expect(answer.text()).resolves.toContain('service_info{service="worker"} 1');
});

test('wrong tokens are throttled, the right one never', async () => {
  const throttled = await serve(3);
  const scrape = (token: string) =>
    fetch(`http://127.0.0.1:${throttled.port}/metrics`, { headers: { authorization: `Bearer ${token}` } });
  try {
    const answers: Response[] = [];
    for (let count = 0; count < 8; count += 1) answers.push(await scrape(`wrong ${count}`));
    const last = answers.at(-1);
    expect([answers[0]?.status, last?.status]).toEqual([401, 429]);
    expect(Number(last?.headers.get('retry-after'))).toBeGreaterThan(0);
    expect(last?.headers.get('www-authenticate')).toBeNull();
    await expect(last?.json()).resolves.toMatchObject({ status: 429, code: 'rate_limited' });
    const right = await scrape('scrape-me');
    expect(right.status).toBe(200);
    const text = await right.text();
    expect(text).toMatch(/auth_failures_total\{area="metrics",reason="throttled"[^}]*\} [1-9]/);
    // The worker lets nobody in to anything else.
    expect(text).not.toContain('area="admin"');
  } finally {
    await throttled.close();
  }
});

test('what is not there is a problem document with the request id', async () => {
  const missing = await get('/admin', { headers: { 'x-request-id': 'r-1' } });
  expect(missing.status).toBe(404);
  expect(missing.headers.get('content-type')).toMatch(/^application\/problem\+json/);
  await expect(missing.json()).resolves.toMatchObject({
    type: 'urn:billing:problem:route_not_found',
    title: 'There is nothing at this address',
    status: 404,
    code: 'route_not_found',
    request_id: 'r-1',
  });
  const wrongMethod = await get('/ready', { method: 'POST' });
  expect(wrongMethod.status).toBe(405);
  expect(wrongMethod.headers.get('allow')).toBe('GET, HEAD');
});

test('its own requests are metered by route, never by the raw path', async () => {
  await Promise.all(['/healthz', '/nowhere/1', '/nowhere/2'].map((path) => get(path)));
  const text = await (await get('/metrics', { headers: { authorization: 'Bearer scrape-me' } })).text();
  expect(text).toMatch(/http_requests_total\{method="GET",route="\/healthz",status_code="200"\} [1-9]/);
  expect(text).toMatch(/http_requests_total\{method="GET",route="unmatched",status_code="404"\} [2-9]/);
  expect(text).not.toContain('nowhere');
});
