import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { connectRedis, createLogger, createQueue } from '@billing/platform';
import { queueNames } from '@billing/domain';
import { createTestDatabase, createTestProxy, freePort, startTestRedis, waitFor } from '@billing/testing';
import { Stripe } from 'stripe';
import { spawnApi } from '../../apps/api/src/testing/api-process.test-support.ts';
import { spawnWorker } from '../../apps/worker/tests/support/worker-process.test-support.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));

/** Both processes as they are deployed run from the build. Nothing is done where the build is up to date. */
export async function buildProcesses(): Promise<void> {
  const filters = ['--filter=@billing/api...', '--filter=@billing/worker...'];
  await promisify(execFile)('npm', ['run', 'build', '--', ...filters], { cwd: root });
}

export type Processes = Awaited<ReturnType<typeof startProcesses>>;

export type ProcessesOptions = {
  env: Record<string, string> & {
    ADMIN_API_KEY: string;
    STRIPE_WEBHOOK_SECRET: string;
    STRIPE_SECRET_KEY: string;
  };
  /** Passwords in the addresses of Postgres (which trusts everybody here) and Redis. */
  databasePassword?: string;
  redisPassword?: string;
};

/** API and worker in processes of their own, on a Postgres behind a proxy and a Redis of their own. */
export async function startProcesses({ env, databasePassword, redisPassword }: ProcessesOptions) {
  const [database, redis, port, workerPort] = await Promise.all([
    createTestDatabase(),
    startTestRedis(),
    freePort(),
    freePort(),
  ]);
  const proxy = await createTestProxy({ port: Number(new URL(database.url).port) });
  const databaseUrl = new URL(proxy.urlFor(database.url));
  if (databasePassword !== undefined) databaseUrl.password = databasePassword;
  const logger = createLogger({ service: 'test', level: 'error', format: 'json' });
  const queue = createQueue({ url: redis.url, name: queueNames.stripeEvents, prefix: 'bull', logger });
  await waitFor(() => queue.ready(), { what: 'the queue' });
  const redisUrl = new URL(redis.url);
  if (redisPassword !== undefined) {
    redisUrl.password = redisPassword;
    // Connections that are open stay so.
    const admin = connectRedis({ url: redis.url, role: 'worker', logger });
    await admin.config('SET', 'requirepass', redisPassword);
    admin.disconnect();
  }
  const environment = {
    PORT: String(port),
    WORKER_PORT: String(workerPort),
    DATABASE_URL: databaseUrl.href,
    DATABASE_POOL_SIZE: '3',
    REDIS_URL: redisUrl.href,
    STRIPE_API_BASE: 'http://127.0.0.1:9',
    ...env,
  };
  // The worker is given no more than it needs: it knows neither admins nor signatures.
  const { ADMIN_API_KEY, STRIPE_WEBHOOK_SECRET, ...forWorker } = environment;
  const [api, worker] = await Promise.all([
    spawnApi({ ...forWorker, ADMIN_API_KEY, STRIPE_WEBHOOK_SECRET }),
    spawnWorker(forWorker),
  ]);
  const urls = { api: `http://127.0.0.1:${port}`, worker: `http://127.0.0.1:${workerPort}` };
  for (const url of Object.values(urls))
    await waitFor(async () => (await fetch(`${url}/ready`)).ok, { what: `${url} ready`, timeoutMs: 120_000 });
  const [, adminSecret = ''] = env.ADMIN_API_KEY.split(':');
  const stripe = new Stripe(env.STRIPE_SECRET_KEY);

  const ask = (path: string, init: RequestInit = {}): Promise<Response> =>
    fetch(`${urls.api}${path}`, { ...init, signal: AbortSignal.timeout(15_000) });
  const asAdmin = (path: string, body: object): Promise<Response> =>
    ask(`/api/v1/admin${path}`, {
      method: 'POST',
      headers: { authorization: `Bearer ${adminSecret}`, 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
  return {
    api,
    worker,
    urls,
    queue,
    redis,
    databaseProxy: proxy,
    ask,
    asAdmin,
    sign: (payload: string): string =>
      stripe.webhooks.generateTestHeaderString({ payload, secret: env.STRIPE_WEBHOOK_SECRET }),
    /** Sends a body to the webhook endpoint, signed unless a header is given. */
    deliver(payload: string, headers: Record<string, string> = {}): Promise<Response> {
      const signature = { 'stripe-signature': this.sign(payload) };
      return ask('/api/v1/webhooks/stripe', {
        method: 'POST',
        body: payload,
        headers: { ...signature, ...headers },
      });
    },
    async close(): Promise<void> {
      await Promise.all([api.kill('SIGKILL'), worker.kill('SIGKILL')]);
      await queue.close();
      await proxy.close();
      await redis.stop();
      await database.drop();
    },
  };
}
