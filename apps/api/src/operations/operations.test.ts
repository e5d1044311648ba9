import { connect } from 'node:net';
import { startTestRedis, waitFor } from '@billing/testing';
import { startTestApi, testAdmin } from '../testing/start-test-api.test-support.ts';
import type { TestApi } from '../testing/start-test-api.test-support.ts';

describe('health and metrics', () => {
  let api: TestApi;
  beforeAll(async () => {
    api = await startTestApi({ env: { METRICS_TOKEN: 'scrape-me' } });
  });
  afterAll(() => api.close());

  it('is healthy, alive and ready', async () => {
    expect((await api.http().get('/healthz')).body).toEqual({ status: 'healthy' });
    expect((await api.http().get('/live')).body).toEqual({ status: 'alive' });
    const ready = await api.http().get('/ready');
    expect(ready.body).toEqual({ status: 'ready', checks: { database: 'ok', redis: 'ok' } });
    expect((await api.http().delete('/ready')).headers['allow']).toBe('GET, HEAD');
  });

  it('wants the metrics token if there is one', async () => {
    expect((await api.http().get('/metrics')).status).toBe(401);
    const wrong = await api.http().get('/metrics').set('authorization', 'Bearer wrong');
    expect(wrong.body.code).toBe('invalid_api_key');
  });

  it('has the names of the contract, and patterns as routes', async () => {
    const { projectId, apiKey } = await api.createProject();
    const key = `Bearer ${apiKey}`;
    for (const path of ['entitlements?user_id=u', `metrics/project/${projectId}`, 'nowhere/secret-id'])
      await api.http().get(`/api/v1/${path}`).set('authorization', key);
    await api
      .http()
      .get('/api/v1/admin/projects/secret-id')
      .set('authorization', `Bearer ${testAdmin.secret}`);
    const { text, headers } = await api.http().get('/metrics').set('authorization', 'Bearer scrape-me');
    expect(headers['content-type']).toContain('text/plain');
    for (const name of [
      'http_request_duration_seconds_bucket{le="0.001",method="GET",route="/api/v1/entitlements",status_code="200"}',
      'http_requests_total{method="GET",route="/api/v1/entitlements",status_code="200"} 1',
      'http_requests_total{method="GET",route="/api/v1/metrics/project/:project_id",status_code="200"} 1',
      'http_requests_total{method="GET",route="unmatched",status_code="404"} 1',
      'http_requests_total{method="GET",route="/api/v1/admin/projects/:project_id",status_code="404"} 1',
      'entitlement_cache_misses_total 1',
      'entitlement_cache_hits_total 0',
      'database_query_duration_seconds_count',
      'bullmq_queue_jobs{queue="stripe-events",state="waiting"} 0',
      'bullmq_oldest_waiting_seconds{queue="stripe-events"} 0',
      'queue_redis_info{eviction_policy="noeviction",persistent=',
      '# TYPE webhook_events_received_total counter',
      '# TYPE stripe_request_duration_seconds histogram',
      '# TYPE reconcile_drift_total counter',
    ])
      expect(text).toContain(name);
    expect(text).not.toContain('secret-id');
    expect(text).not.toContain(projectId);
  });

  it('keeps keys and users out of the log', async () => {
    const { apiKey } = await api.createProject();
    await api
      .http()
      .post('/api/v1/entitlements/batch')
      .set('authorization', `Bearer ${apiKey}`)
      .send({ user_ids: ['who'] });
    await waitFor(() => api.logs.some((line) => line.includes('/api/v1/entitlements/batch')), {
      what: 'the log',
    });
    const log = api.logs.join('');
    expect(log).not.toContain(apiKey);
    expect(log).not.toContain('who');
  });

  it('answers invalid or too large HTTP with a problem', async () => {
    const { port } = new URL(api.url);
    const answers = await Promise.all(
      ['nonsense\r\n\r\n', `GET / HTTP/1.1\r\nhost: x\r\nx-long: ${'x'.repeat(20_000)}\r\n\r\n`].map(
        async (sent) => {
          const socket = connect(Number(port), '127.0.0.1');
          socket.write(sent);
          const chunks: Buffer[] = [];
          for await (const chunk of socket) chunks.push(chunk);
          return Buffer.concat(chunks).toString();
        },
      ),
    );
    expect(answers[0]).toMatch(/^HTTP\/1.1 400 [^]*application\/problem\+json[^]*invalid_request/);
    expect(answers[1]).toMatch(/^HTTP\/1.1 431 [^]*request_header_too_large/);
  });

  const ask = (id: string) => api.http().get('/healthz').set('x-request-id', id);

  it('takes a sane request id, and replaces any other', async () => {
    expect((await ask('abc-123')).headers['x-request-id']).toBe('abc-123');
    expect((await ask('a b{}')).headers['x-request-id']).toMatch(/^[0-9a-f-]{36}$/);
  });
});

describe('readiness', () => {
  it('comes by itself when Redis and Postgres come later than the API', async () => {
    const redis = await startTestRedis({ isStarted: false });
    const api = await startTestApi({ redis, databaseMode: 'refuse', awaitRedis: false });
    try {
      const before = await api.http().get('/ready');
      expect(before.status).toBe(503);
      expect(before.body).toEqual({
        status: 'not ready',
        checks: { database: 'unreachable', redis: 'unreachable' },
      });
      expect((await api.http().get('/live')).status).toBe(200);
      await redis.start();
      await api.databaseProxy.setMode('pass');
      await waitFor(async () => (await api.http().get('/ready')).status === 200, { what: 'readiness' });
    } finally {
      await api.close();
      await redis.stop();
    }
  });

  it('is refused in production while the Redis of the queue may evict', async () => {
    const redis = await startTestRedis({ evictionPolicy: 'allkeys-lru' });
    const api = await startTestApi({ redis, env: { NODE_ENV: 'production' } });
    try {
      const { status, body } = await api.http().get('/ready');
      expect(status).toBe(503);
      expect(body.checks).toEqual({ database: 'ok', redis: 'may evict jobs: set noeviction' });
    } finally {
      await api.close();
      await redis.stop();
    }
  });
});
