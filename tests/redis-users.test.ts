import { once } from 'node:events';
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { PassThrough } from 'node:stream';
import { createLogger } from '@billing/platform';
import { commandLineOf, freePort, stripeEvent, subscriptionObject, waitFor } from '@billing/testing';
import { readConfig, startWorker } from '@billing/worker';
import { Redis } from 'ioredis';
import { Stripe } from 'stripe';
import { startCommerce } from '../apps/api/src/testing/start-commerce.test-support.ts';
import type { Commerce } from '../apps/api/src/testing/start-commerce.test-support.ts';
import { testAdmin, testWebhookSecret } from '../apps/api/src/testing/start-test-api.test-support.ts';

const script = fileURLToPath(new URL('../deploy/redis/serve.sh', import.meta.url));
const password = randomBytes(24).toString('hex');
const monitorPassword = randomBytes(24).toString('hex');
const logger = createLogger({
  service: 'test',
  level: 'error',
  format: 'json',
  destination: new PassThrough().resume(),
});

const seconds = (): number => Math.floor(Date.now() / 1000);

/** A Redis as the compose files start it. */
type Server = { process: ChildProcess; port: number; url: string };

async function serve(...settings: string[]): Promise<Server> {
  const port = await freePort();
  const started = spawn(
    'sh',
    [script, '--port', String(port), '--bind', '127.0.0.1', '--save', '', ...settings],
    {
      env: { PATH: process.env['PATH'], REDIS_PASSWORD: password, MONITOR_PASSWORD: monitorPassword },
      stdio: 'ignore',
    },
  );
  return { process: started, port, url: `redis://billing:${password}@127.0.0.1:${port}` };
}

async function end(server: Server | undefined): Promise<void> {
  if (server?.process.exitCode !== null) return;
  const exited = once(server.process, 'exit');
  server.process.kill();
  await exited;
}

type Login = { username: string; password: string };

/** Sends one command as this user (null: without a login), and returns the answer or the refusal as text. */
async function as(server: Server, login: Login | null, ...[name = '', ...args]: string[]): Promise<string> {
  const redis = new Redis({ port: server.port, enableReadyCheck: false, maxRetriesPerRequest: null });
  redis.on('error', () => undefined);
  try {
    if (login !== null) await redis.auth(login.username, login.password);
    return String(await redis.call(name, ...args));
  } catch (error) {
    return String(error);
  } finally {
    redis.disconnect();
  }
}

const billing = { username: 'billing', password };
const monitor = { username: 'monitor', password: monitorPassword };

let queue: Server;
let cache: Server;
beforeAll(async () => {
  [queue, cache] = await Promise.all([
    serve('--maxmemory-policy', 'noeviction', '--appendonly', 'no'),
    serve('--maxmemory', '64mb', '--maxmemory-policy', 'allkeys-lru'),
  ]);
});
afterAll(() => Promise.all([end(queue), end(cache)]));

describe('with the users of the compose files', () => {
  let commerce: Commerce;
  let stopWorker: () => Promise<void>;
  const redisEnv = () => ({ REDIS_URL: queue.url, CACHE_REDIS_URL: cache.url });

  beforeAll(async () => {
    commerce = await startCommerce({ ...redisEnv(), RATE_LIMIT_PER_SECOND: '1000' });
    const worker = await startWorker({
      config: readConfig({
        NODE_ENV: 'test',
        WORKER_PORT: '0',
        DATABASE_URL: commerce.database.url,
        DATABASE_POOL_SIZE: '5',
        STRIPE_SECRET_KEY: 'sk_test_users',
        STRIPE_API_BASE: commerce.stripeUrl,
        ...redisEnv(),
      }),
      logger,
      host: '127.0.0.1',
    });
    stopWorker = worker.stop;
  }, 60_000);
  afterAll(async () => {
    await stopWorker?.();
    await commerce?.close();
  });

  it('a webhook goes through the queue, and a check through the cache', async () => {
    const { projectId, apiKey } = await commerce.createProject();
    const { stripePriceId } = await commerce.sell(projectId);
    const object = subscriptionObject({
      id: 'sub_users',
      items: [{ priceId: stripePriceId, start: seconds(), end: seconds() + 86_400 }],
      metadata: { project_id: projectId, user_id: 'ann' },
    });
    const payload = JSON.stringify(stripeEvent({ type: 'customer.subscription.created', object }));
    await commerce
      .http()
      .post('/api/v1/webhooks/stripe')
      .set('content-type', 'application/json')
      .set(
        'stripe-signature',
        Stripe.webhooks.generateTestHeaderString({ payload, secret: testWebhookSecret }),
      )
      .send(payload)
      .expect(200);
    const check = () =>
      commerce
        .http()
        .get('/api/v1/entitlements')
        .query({ user_id: 'ann' })
        .set('authorization', `Bearer ${apiKey}`);
    await waitFor(async () => (await check()).body.entitlements.length === 1, { what: 'the subscription' });
    await waitFor(async () => (await check()).headers['x-cache'] === 'hit', { what: 'a hit of the cache' });
    expect((await check()).body.entitlements).toHaveLength(1);
  });

  it('the API is ready, and shows queues, their gauges and runs of maintenance', async () => {
    expect((await commerce.http().get('/ready')).body.status).toBe('ready');
    await commerce
      .http()
      .get('/admin/queues/api/queues')
      .auth(testAdmin.name, testAdmin.secret)
      .expect(200, /stripe-events/);
    await commerce
      .http()
      .get('/metrics')
      .expect(200, /bullmq_queue_jobs\{/);
    const { body } = await commerce.admin('post', '/reconcile', { dry_run: true }).expect(202);
    await waitFor(
      async () => (await commerce.admin('get', `/reconcile/${body.run_id}`)).body.status === 'done',
      { what: 'the run' },
    );
  });

  it('none of their commands was refused, but for two that they can do without', async () => {
    const refused = async (server: Server): Promise<string[]> => {
      const stats = await as(server, billing, 'INFO', 'commandstats');
      return [...stats.matchAll(/^cmdstat_(\S+):.*rejected_calls=[1-9]/gm)].map(([, name = '']) => name);
    };
    expect(await refused(cache)).toEqual([]);
    // How often snapshots are taken (where it is not known, only the append-only file counts), and the queue screen's
    // list of workers.
    expect((await refused(queue)).sort()).toEqual(['client|list', 'config|get']);
  });
});

describe.each([
  ['the queue', () => queue],
  ['the cache', () => cache],
])('%s', (_name, server) => {
  it.each([
    ['FLUSHALL'],
    ['CONFIG', 'SET', 'maxmemory-policy', 'allkeys-lru'],
    ['ACL', 'LIST'],
    ['KEYS', '*'],
    ['DEBUG', 'SLEEP', '0'],
    ['SHUTDOWN', 'NOSAVE'],
    ['REPLICAOF', 'NO', 'ONE'],
    ['MODULE', 'LOAD', '/tmp/x.so'],
    ['SAVE'],
    ['MONITOR'],
  ])('the service may not %s', async (...command) => {
    expect(await as(server(), billing, ...command)).toMatch(/NOPERM|command not allowed/);
  });

  it.each([
    ['nobody', null, ['PING'], 'PONG'],
    ['nobody', null, ['INFO'], 'NOPERM'],
    ['nobody', null, ['GET', 'x'], 'NOPERM'],
    ['nobody', null, ['SET', 'x', '1'], 'NOPERM'],
    ['a guesser', { username: 'billing', password: 'billing' }, ['GET', 'x'], 'WRONGPASS'],
    ['the monitor', monitor, ['INFO'], 'redis_version'],
    ['the monitor', monitor, ['CONFIG', 'GET', 'maxmemory'], 'maxmemory'],
    ['the monitor', monitor, ['GET', 'x'], 'NOPERM'],
    ['the monitor', monitor, ['SET', 'x', '1'], 'NOPERM'],
    ['the monitor', monitor, ['CONFIG', 'SET', 'maxmemory', '1mb'], 'NOPERM'],
  ])('%s is answered %#', async (_who, login, command, expected) => {
    expect(await as(server(), login, ...command)).toContain(expected);
  });

  it('its passwords are not in the process list', () => {
    const commandLine = commandLineOf(server().process.pid ?? 0);
    expect(commandLine).toContain('redis-server');
    expect(commandLine).not.toContain(password);
    expect(commandLine).not.toContain(monitorPassword);
  });
});

test('a server is not started without a password', async () => {
  const started = spawn('sh', [script], { env: { PATH: process.env['PATH'] }, stdio: 'ignore' });
  expect(await once(started, 'exit')).toEqual([1, null]);
});
