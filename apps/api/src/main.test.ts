import { randomBytes } from 'node:crypto';
import { createServer } from 'node:http';
import { once } from 'node:events';
import { kill } from 'node:process';
import { queueNames } from '@billing/domain';
import { createLogger, createQueue } from '@billing/platform';
import {
  buildApps,
  createTestDatabase,
  createTestProxy,
  freePort,
  metricComplaints,
  startTestRedis,
  waitFor,
} from '@billing/testing';
import type { AppProcess, TestDatabase, TestRedis } from '@billing/testing';
import { spawnApi } from './testing/api-process.test-support.ts';

const isReady = async (port: number): Promise<boolean> => (await fetch(`http://127.0.0.1:${port}/ready`)).ok;

const silent = createLogger({ service: 'test', level: 'error', format: 'json' });

/** `fetch` wraps what happened; its errors are of another realm than the test's `Error`. */
function causeOf(error: unknown): string {
  const cause = typeof error === 'object' && error !== null && 'cause' in error ? error.cause : undefined;
  return typeof cause === 'object' && cause !== null && 'code' in cause ? String(cause.code) : 'unknown';
}

describe('the API as a process', () => {
  let database: TestDatabase;
  let redis: TestRedis;
  const running: AppProcess[] = [];

  const spawn = async (env: Record<string, string>): Promise<AppProcess> => {
    const process = await spawnApi(env);
    running.push(process);
    return process;
  };

  beforeAll(async () => {
    [database, redis] = await Promise.all([createTestDatabase(), startTestRedis(), buildApps()]);
  }, 180_000);
  // A test that fails must not leave its processes running.
  afterEach(() => Promise.all(running.splice(0).map((process) => process.kill('SIGKILL'))));
  afterAll(() => Promise.all([database.drop(), redis.stop()]));

  const environment = (port: number): Record<string, string> => ({
    NODE_ENV: 'production',
    PORT: String(port),
    DATABASE_URL: database.url,
    DATABASE_POOL_SIZE: '2',
    REDIS_URL: redis.url,
    STRIPE_SECRET_KEY: 'sk_test_process',
    STRIPE_WEBHOOK_SECRET: `whsec_${randomBytes(16).toString('hex')}`,
    ADMIN_API_KEY: `local:${randomBytes(16).toString('hex')}`,
  });

  it('names every variable that is missing or bad, and no value', async () => {
    const process = await spawn({ PORT: 'eighty', STRIPE_SECRET_KEY: 'not-a-stripe-key' });
    expect(await process.exited).toBe(1);
    for (const name of [
      'PORT',
      'DATABASE_URL',
      'REDIS_URL',
      'STRIPE_SECRET_KEY',
      'STRIPE_WEBHOOK_SECRET',
      'ADMIN_API_KEY',
    ])
      expect(process.output()).toContain(name);
    expect(process.output()).not.toMatch(/eighty|not-a-stripe-key/);
  });

  it('does not start in production with the secrets that compose files once had, and names them all', async () => {
    const process = await spawn({
      ...environment(0),
      STRIPE_SECRET_KEY: 'sk_live_abc',
      STRIPE_API_BASE: 'http://offline-stripe:12111',
      STRIPE_WEBHOOK_SECRET: 'whsec_offline',
      ADMIN_API_KEY: 'local:change-me-before-production',
    });
    expect(await process.exited).toBe(1);
    for (const name of ['STRIPE_API_BASE', 'STRIPE_WEBHOOK_SECRET', 'ADMIN_API_KEY'])
      expect(process.output()).toMatch(new RegExp(`^ {2}${name}: `, 'm'));
    expect(process.output()).not.toMatch(/sk_live_abc|12111|whsec_offline|change-me/);
  });

  it.each(['1', '2'])('ends with exit code 1 when its port is taken (%s processes)', async (processes) => {
    const port = await freePort();
    const holder = createServer().listen(port);
    await once(holder, 'listening');
    const process = await spawn({ ...environment(port), API_PROCESSES: processes });
    expect(await process.exited).toBe(1);
    expect(process.output()).toContain('port_not_available');
    holder.close();
  });

  it('stops in order also on a signal before it listens', async () => {
    const port = await freePort();
    const proxy = await createTestProxy({ port: Number(new URL(database.url).port) });
    // Its first query waits, and it does not listen before that.
    await proxy.setMode('freeze');
    const process = await spawn({ ...environment(port), DATABASE_URL: proxy.urlFor(database.url) });
    await waitFor(() => proxy.connectionCount() > 0, { what: 'its first query', timeoutMs: 20_000 });
    expect(process.output()).not.toContain('listening');
    expect(await process.kill('SIGTERM')).toBe(0);
    expect(process.output()).toContain('shutdown_finished');
    await proxy.close();
  });

  it('cuts no request when it stops', async () => {
    const port = await freePort();
    const process = await spawn(environment(port));
    await waitFor(() => isReady(port), { what: 'readiness', timeoutMs: 20_000 });
    const outcomes: (number | string)[] = [];
    const client = async (): Promise<void> => {
      for (;;) {
        try {
          const response = await fetch(`http://127.0.0.1:${port}/api/v1/entitlements?user_id=u`);
          await response.text();
          outcomes.push(response.status);
          // The server asks its clients to leave; a later connection may be refused.
          if (response.headers.get('connection') === 'close') return;
        } catch (error) {
          // The server no longer listens: that request was never accepted. A reset would be one that was cut.
          const code = causeOf(error);
          if (code === 'ECONNREFUSED') return;
          outcomes.push(code);
        }
      }
    };
    const clients = Array.from({ length: 8 }, client);
    await waitFor(() => outcomes.length > 50, { what: 'traffic' });
    expect(await process.kill('SIGTERM')).toBe(0);
    await Promise.all(clients);
    expect(new Set(outcomes)).toEqual(new Set([401]));
  });

  /** Sends SIGTERM; returns how a new connection is answered when `/ready` refuses, and the exit code. */
  async function stopWhileAsked(process: AppProcess, port: number) {
    const exited = process.kill('SIGTERM');
    const get = (path: string) =>
      fetch(`http://127.0.0.1:${port}${path}`, { headers: { connection: 'close' } });
    await waitFor(async () => (await get('/ready')).status === 503, { what: 'the refusal' });
    const answer = await get('/api/v1/entitlements?user_id=u');
    return { status: answer.status, connection: answer.headers.get('connection'), code: await exited };
  }
  const inOrder = { status: 401, connection: 'close', code: 0 };

  it('answers new connections for a while after SIGTERM', async () => {
    const port = await freePort();
    const process = await spawn({ ...environment(port), SHUTDOWN_DELAY_SECONDS: '1' });
    await waitFor(() => isReady(port), { what: 'readiness', timeoutMs: 20_000 });
    expect(await stopWhileAsked(process, port)).toEqual(inOrder);
  });

  it('serves from several processes, adds their metrics up, replaces a dead one, and answers while it stops', async () => {
    const port = await freePort();
    const env = { ...environment(port), API_PROCESSES: '2', SHUTDOWN_DELAY_SECONDS: '1' };
    const process = await spawn(env);
    await waitFor(() => isReady(port), { what: 'readiness', timeoutMs: 20_000 });
    const metrics = async (): Promise<string> => (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
    await waitFor(async () => (await metrics()).includes('service_info{service="api"} 2'), { what: 'both' });
    const get = (path: string) =>
      fetch(`http://127.0.0.1:${port}${path}`, { headers: { connection: 'close' } });
    const ask = () => get('/api/v1/entitlements?user_id=u');
    for (let count = 0; count < 20; count += 1) await Promise.all([ask(), get('/docs')]);
    expect(await metrics()).toContain(
      'http_requests_total{method="GET",route="/api/v1/entitlements",status_code="401"} 20',
    );
    const queue = createQueue({
      url: redis.url,
      name: queueNames.stripeEvents,
      prefix: 'bull',
      logger: silent,
    });
    await waitFor(() => queue.ready(), { what: 'the queue' });
    for (const jobId of ['evt_a', 'evt_b', 'evt_c'])
      await queue.add({ name: 'invoice.paid', data: {}, jobId }, { deadlineMs: 5_000 });
    // All processes see the same queue: asked one by one or all at once, it is as deep as it is.
    for (const text of await Promise.all(Array.from({ length: 6 }, metrics)))
      expect(text).toContain('bullmq_queue_jobs{queue="stripe-events",state="waiting"} 3');
    await queue.bull.obliterate({ force: true });
    await queue.close();
    expect(await metrics()).toContain(
      'http_request_duration_seconds_bucket{le="10",method="GET",route="/docs",status_code="200"} 20',
    );
    expect(metricComplaints(await metrics())).toEqual([]);
    const pids = (): number[] =>
      [
        ...process.output().matchAll(/"event":"listening".*?"pid":(\d+)|"pid":(\d+).*?"event":"listening"/g),
      ].map((found) => Number(found[1] ?? found[2]));
    const [victim] = pids();
    if (victim === undefined) throw new Error('no process logged that it listens');
    kill(victim, 'SIGKILL');
    await waitFor(() => pids().length === 3, { what: 'a new process' });
    expect((await ask()).status).toBe(401);
    expect(await stopWhileAsked(process, port)).toEqual(inOrder);
    expect(process.output()).not.toContain('shutdown_timed_out');
  }, 60_000);
});
