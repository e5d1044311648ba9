import { waitFor } from '@billing/testing';
import { startTestApi, testAdmin } from '../testing/start-test-api.test-support.ts';
import type { TestApi } from '../testing/start-test-api.test-support.ts';

describe('the queue screen', () => {
  let api: TestApi;

  beforeAll(async () => {
    api = await startTestApi({ env: { NODE_ENV: 'development' } });
    const event = {
      id: 'evt_shown',
      type: 'invoice.paid',
      created: 1,
      data: { object: { id: 'in_1', object: 'invoice', customer_email: 'payer@example.com' } },
    };
    await api.deps.stripeEvents.bull.add(
      'invoice.paid',
      { event, received_at: '2026-11-22T10:00:00.000Z' },
      { jobId: event.id },
    );
  });
  afterAll(() => api.close());

  const visit = (path = '', login: [string, string] = [testAdmin.name, testAdmin.secret]) =>
    api
      .http()
      .get(`/admin/queues${path}`)
      .auth(...login);

  it('asks for a name and its secret', async () => {
    const without = await api.http().get('/admin/queues').expect(401);
    expect(without.headers['www-authenticate']).toMatch(/^Basic realm=/);
    expect(without.body.code).toBe('missing_api_key');
    for (const login of [
      ['another', testAdmin.secret],
      [testAdmin.name, 'wrong'],
      ['', ''],
    ] as [string, string][])
      expect((await visit('', login)).body.code).toBe('invalid_api_key');
    expect((await visit('/api/queues', ['another', testAdmin.secret])).status).toBe(401);
    expect((await visit('/static/js/main.js', ['another', testAdmin.secret])).status).toBe(401);
  });

  it('is a page that loads no assets of other hosts', async () => {
    const page = await visit()
      .expect(200)
      .expect('content-type', /text\/html/);
    expect(page.text).not.toMatch(/(?:src|href)="https?:/);
    expect(page.headers['content-security-policy']).toContain("script-src 'self';");
    expect(page.headers['x-powered-by']).toBeUndefined();
    const [, script] = /src="(static\/js\/main[^"]*)"/.exec(page.text) ?? [];
    await visit(`/${script}`)
      .expect(200)
      .expect('content-type', /javascript/);
  });

  it('shows all queues and their jobs, without an e-mail address', async () => {
    const { body } = await visit('/api/queues?activeQueue=stripe-events&page=1&jobsPerPage=10').expect(200);
    const names = body.queues.map(({ name }: { name: string }) => name);
    expect(names.sort()).toEqual(['maintenance', 'stripe-events', 'usage-events']);
    const job = await visit('/api/queues/stripe-events/evt_shown').expect(200);
    expect(JSON.stringify([body, job.body])).toContain('evt_shown');
    expect(JSON.stringify([body, job.body])).not.toContain('payer@example.com');
  });

  it('changes nothing', async () => {
    for (const path of [
      '/queues/stripe-events/pause',
      '/queues/stripe-events/empty',
      '/queues/stripe-events/evt_shown/clean',
    ]) {
      const response = await api
        .http()
        .put(`/admin/queues/api${path}`)
        .auth(testAdmin.name, testAdmin.secret);
      expect([response.status, response.headers['allow']]).toEqual([405, 'GET, HEAD']);
    }
    expect(await api.deps.stripeEvents.bull.getJob('evt_shown')).toBeDefined();
  });

  it.each([
    ['/api/queues?activeQueue=%25', 400],
    ['/api/queues?activeQueue=nothing', 200],
    ['/api/queues/%ff/x', 400],
    ['/api/queues/nothing/x', 404],
    ['/api/queues/stripe-events/nothing', 404],
    ['/api/nothing', 404],
    ['/nothing/at/all', 404],
  ])('%s: %d', async (path, status) => {
    const response = await visit(path);
    expect([response.status, response.headers['x-request-id']]).toEqual([status, expect.any(String)]);
    expect(JSON.stringify(response.body)).not.toMatch(/node_modules|stack/i);
  });

  it('ignores a body on GET', async () => {
    const response = await visit('/api/queues').set('content-type', 'application/json').send('{"half":');
    expect([response.status, response.body.code]).toEqual([400, 'invalid_request']);
  });

  it('opens while Redis is away, and shows what is wrong', async () => {
    await api.redis.stop();
    await waitFor(() => !api.deps.stripeEvents.ready(), { what: 'the loss of Redis' });
    await visit().expect(200);
    expect((await visit('/api/queues')).body.code).toBe('queue_unavailable');
    await api.redis.start();
    await waitFor(async () => (await visit('/api/queues')).status === 200, { what: 'Redis' });
  });

  it('is there when Redis was absent at the start', async () => {
    const { redis } = api;
    await redis.stop();
    const late = await startTestApi({ database: api.database, redis, awaitRedis: false });
    const page = () => late.http().get('/admin/queues').auth(testAdmin.name, testAdmin.secret);
    expect((await page()).status).toBe(200);
    await redis.start();
    await waitFor(
      async () =>
        (await late.http().get('/admin/queues/api/queues').auth(testAdmin.name, testAdmin.secret)).status ===
        200,
      { what: 'Redis' },
    );
    await late.close();
  });
});
