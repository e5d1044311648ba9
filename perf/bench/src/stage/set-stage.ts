import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { connectRedis, createLogger, migrate } from '@billing/platform';
import { ensureDatabase, startPostgres, startRedis } from '@billing/testing';
import { Client } from 'pg';
import { entries } from '../paths.ts';
import { startProcess } from './start-process.ts';
import type { Running } from './start-process.ts';

export const webhookSecret = 'whsec_bench';
const stripeKey = 'sk_test_bench';

const silent = createLogger({ service: 'bench', level: 'error', format: 'pretty' });

/** What the seed says of the load project. */
export type Seeded = {
  projectId: string;
  apiKey: string;
  priceId: string;
  userPrefix: string;
  userCount: number;
  subscribedCount: number;
  subscriptionPrefix: string;
  itemPrefix: string;
  customerPrefix: string;
  stripePrice: string;
  checkoutFrom: number;
};

async function seed(databaseUrl: string, stripeUrl: string, users: number): Promise<Seeded> {
  const { stdout } = await promisify(execFile)(process.execPath, [entries.seed, '--users', String(users)], {
    env: {
      PATH: process.env['PATH'],
      DATABASE_URL: databaseUrl,
      STRIPE_API_BASE: stripeUrl,
      STRIPE_SECRET_KEY: stripeKey,
    },
  });
  const values = new Map(
    stdout.split('\n').map((line) => [line.split('=')[0], line.slice(line.indexOf('=') + 1)]),
  );
  const value = (name: string): string => {
    const found = values.get(name);
    if (found === undefined) throw new Error(`The seed did not say ${name}.`);
    return found;
  };
  return {
    projectId: value('PROJECT_ID'),
    apiKey: value('API_KEY'),
    priceId: value('PRICE_ID'),
    userPrefix: value('USER_PREFIX'),
    userCount: Number(value('USER_COUNT')),
    subscribedCount: Number(value('WEBHOOK_USER_TO')),
    subscriptionPrefix: value('SUBSCRIPTION_PREFIX'),
    itemPrefix: value('SUBSCRIPTION_ITEM_PREFIX'),
    customerPrefix: value('CUSTOMER_PREFIX'),
    stripePrice: value('EVENT_STRIPE_PRICE'),
    checkoutFrom: Number(value('CHECKOUT_USER_FROM')),
  };
}

export type Stage = Awaited<ReturnType<typeof setStage>>;

/** Everything around the measured processes: Postgres that flushes, a queue Redis that persists, a cache Redis, the offline Stripe, data. */
export async function setStage({ users }: { users: number }) {
  const stripeState = mkdtempSync(join(tmpdir(), 'billing-bench-stripe-'));
  const [postgres, queueRedis, cacheRedis, stripe] = await Promise.all([
    startPostgres(),
    startRedis({ isPersistent: true }),
    startRedis({ evictionPolicy: 'allkeys-lru' }),
    startProcess({
      script: entries.stripe,
      readyPath: '/healthz',
      env: (port) => ({
        OFFLINE_STRIPE_PORT: String(port),
        OFFLINE_STRIPE_STATE_DIR: stripeState,
        OFFLINE_STRIPE_WEBHOOK_URL: 'http://127.0.0.1:9/',
        STRIPE_WEBHOOK_SECRET: webhookSecret,
      }),
    }),
  ]);
  const databaseUrl = await ensureDatabase(postgres, 'bench');
  await migrate({ databaseUrl });
  const seeded = await seed(databaseUrl, stripe.url, users);
  const database = new Client({ connectionString: databaseUrl });
  await database.connect();
  const cache = connectRedis({ url: cacheRedis.url, role: 'worker', logger: silent });
  const queue = connectRedis({ url: queueRedis.url, role: 'worker', logger: silent });
  const common = {
    LOG_LEVEL: 'info',
    DATABASE_URL: databaseUrl,
    REDIS_URL: queueRedis.url,
    CACHE_REDIS_URL: cacheRedis.url,
    STRIPE_SECRET_KEY: stripeKey,
    STRIPE_API_BASE: stripe.url,
    STRIPE_WEBHOOK_SECRET: webhookSecret,
    ADMIN_API_KEY: 'bench:bench-admin-secret',
    // Our worker's and its peers'.
    WORKER_CONCURRENCY: '32',
  };
  return {
    databaseUrl,
    database,
    queueUrl: queueRedis.url,
    queueRedisPid: queueRedis.pid,
    cacheUrl: cacheRedis.url,
    cache,
    queue,
    stripeUrl: stripe.url,
    seeded,
    startApi: (env: Record<string, string> = {}): Promise<Running> =>
      startProcess({ script: entries.api, env: (port) => ({ ...common, PORT: String(port), ...env }) }),
    startWorker: (env: Record<string, string> = {}): Promise<Running> =>
      startProcess({
        script: entries.worker,
        env: (port) => ({ ...common, WORKER_PORT: String(port), ...env }),
      }),
    /** One of the benchmark's own servers; `settings` come as BENCH_… variables. */
    startPeer: (name: string, settings: Record<string, string> = {}): Promise<Running> =>
      startProcess({
        script: entries.bench(name),
        env: (port) => ({ ...common, BENCH_PORT: String(port), ...settings }),
      }),
    async clear(): Promise<void> {
      cache.disconnect();
      queue.disconnect();
      await database.end();
      await Promise.all([stripe.stop(), queueRedis.stop(), cacheRedis.stop()]);
      await postgres.stop();
      rmSync(stripeState, { recursive: true, force: true });
    },
  };
}
