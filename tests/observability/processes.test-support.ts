import { queueNames } from '@billing/domain';
import { connectRedis, createLogger, createQueue } from '@billing/platform';
import type { JobQueue } from '@billing/platform';
import {
  buildApps,
  createTestDatabase,
  createTestProxy,
  freePort,
  spawnApp,
  startTestRedis,
  waitFor,
} from '@billing/testing';
import type { AppProcess, TestProxy, TestRedis } from '@billing/testing';
import { Stripe } from 'stripe';

export type Processes = {
  api: AppProcess;
  worker: AppProcess;
  urls: { api: string; worker: string };
  queue: JobQueue;
  redis: TestRedis;
  databaseProxy: TestProxy;
  /** Calls the API. */
  ask: (path: string, init?: RequestInit) => Promise<Response>;
  asAdmin: (path: string, body: object) => Promise<Response>;
  adminHeaders: { authorization: string };
  /** A `Stripe-Signature` of this payload. */
  sign: (payload: string) => string;
  /** Delivers a webhook, signed unless a signature is given. */
  deliver: (payload: string, headers?: Record<string, string>) => Promise<Response>;
  close: () => Promise<void>;
};

export type ProcessesOptions = {
  env: Record<string, string> & {
    ADMIN_API_KEY: string;
    STRIPE_WEBHOOK_SECRET: string;
    STRIPE_SECRET_KEY: string;
  };
  /** Passwords in the addresses of Postgres (which asks for none here) and Redis. */
  databasePassword?: string;
  redisPassword?: string;
  /** How an app is started; default: from its build. */
  spawn?: typeof spawnApp;
};

/** Builds and starts API and worker, a process each, with a database behind a proxy and a Redis of their own. */
export async function startProcesses(options: ProcessesOptions): Promise<Processes> {
  const { env, databasePassword, redisPassword, spawn = spawnApp } = options;
  if (spawn === spawnApp) await buildApps();
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
  // The worker gets no more than it needs: it knows neither admins nor signatures.
  const { ADMIN_API_KEY, STRIPE_WEBHOOK_SECRET, ...forWorker } = environment;
  const [api, worker] = await Promise.all([
    spawn('api', { ...forWorker, ADMIN_API_KEY, STRIPE_WEBHOOK_SECRET }),
    spawn('worker', forWorker),
  ]);
  await Promise.all([api.untilReady(120_000), worker.untilReady(120_000)]);
  const urls = { api: `http://127.0.0.1:${port}`, worker: `http://127.0.0.1:${workerPort}` };
  const [, adminSecret = ''] = env.ADMIN_API_KEY.split(':');
  const stripe = new Stripe(env.STRIPE_SECRET_KEY);

  const ask: Processes['ask'] = (path, init = {}) =>
    fetch(`${urls.api}${path}`, { ...init, signal: AbortSignal.timeout(15_000) });
  const sign = (payload: string): string =>
    stripe.webhooks.generateTestHeaderString({ payload, secret: env.STRIPE_WEBHOOK_SECRET });
  const adminHeaders = { authorization: `Bearer ${adminSecret}` };
  const asAdmin: Processes['asAdmin'] = (path, body) =>
    ask(`/api/v1/admin${path}`, {
      method: 'POST',
      headers: { ...adminHeaders, 'content-type': 'application/json' },
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
    adminHeaders,
    sign,
    deliver: (payload, headers = {}) =>
      ask('/api/v1/webhooks/stripe', {
        method: 'POST',
        body: payload,
        headers: { 'stripe-signature': sign(payload), ...headers },
      }),
    close: async () => {
      await Promise.all([api.kill('SIGKILL'), worker.kill('SIGKILL')]);
      await queue.close();
      await proxy.close();
      await redis.stop();
      await database.drop();
    },
  };
}
