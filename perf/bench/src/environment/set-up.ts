import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connectRedis, createLogger, migrate } from '@billing/platform';
import { appNodeArguments, ensureDatabase, startPostgres, startRedis } from '@billing/testing';
import { Client } from 'pg';
import { createSubscriptionEvents } from '../load/subscription-events.ts';
import { entries } from '../paths.ts';
import { seed } from './seed.ts';
import { startProcess } from './start-process.ts';
import type { Running } from './start-process.ts';

export const webhookSecret = 'whsec_bench';
const stripeKey = 'sk_test_bench';

const silent = createLogger({ service: 'bench', level: 'error', format: 'pretty' });

export type BenchEnvironment = Awaited<ReturnType<typeof setUpEnvironment>>;

/** Everything around the measured processes: Postgres that flushes, a queue Redis that persists, a cache Redis, the offline Stripe, data. */
export async function setUpEnvironment({ users }: { users: number }) {
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
  const seeded = await seed({ databaseUrl, stripeUrl: stripe.url, stripeKey, users });
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
    /** One sequence for all scenarios: what a scenario makes up is newer than all that the scenarios before it did. */
    nextEvent: createSubscriptionEvents(seeded),
    startApi: (env: Record<string, string> = {}): Promise<Running> =>
      startProcess({
        script: entries.api,
        nodeArguments: appNodeArguments,
        env: (port) => ({ ...common, PORT: String(port), ...env }),
      }),
    startWorker: (env: Record<string, string> = {}): Promise<Running> =>
      startProcess({
        script: entries.worker,
        nodeArguments: appNodeArguments,
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
