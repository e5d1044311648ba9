import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connectRedis, createLogger, migrate } from '@billing/platform';
import { appNodeArguments, ensureDatabase, startPostgres, startRedis } from '@billing/testing';
import type { Redis } from 'ioredis';
import { Client } from 'pg';
import { createSubscriptionEvents } from '../load/subscription-events.ts';
import type { NextEvent } from '../load/subscription-events.ts';
import { entries } from '../paths.ts';
import { seed } from './seed.ts';
import type { Seeded } from './seed.ts';
import { startProcess } from './start-process.ts';
import type { Running } from './start-process.ts';

export const webhookSecret = `whsec_${randomBytes(16).toString('hex')}`;
const stripeKey = 'sk_test_bench';

const silent = createLogger({ service: 'bench', level: 'error', format: 'pretty' });

type Env = Record<string, string>;

type Starters = {
  startApi: (env?: Env) => Promise<Running>;
  startWorker: (env?: Env) => Promise<Running>;
  /** Starts one of the benchmark's own servers; `settings` are BENCH_… variables. */
  startPeer: (name: string, settings?: Env) => Promise<Running>;
};

export type BenchEnvironment = Starters & {
  database: Client;
  cache: Redis;
  queue: Redis;
  seeded: Seeded;
  /** One sequence for all scenarios, so that each event is newer than all before it. */
  nextEvent: NextEvent;
  clear: () => Promise<void>;
};

/** Starts all around the measured processes: Postgres, a persistent Redis, a cache Redis, the offline Stripe, data. */
export async function setUpEnvironment({ users }: { users: number }): Promise<BenchEnvironment> {
  const stripeState = mkdtempSync(join(tmpdir(), 'billing-bench-stripe-'));
  const [postgres, queueRedis, cacheRedis, stripe] = await Promise.all([
    startPostgres(),
    startRedis({ isPersistent: true }),
    startRedis({ evictionPolicy: 'allkeys-lru' }),
    startStripe(stripeState),
  ]);
  const databaseUrl = await ensureDatabase(postgres, 'bench');
  await migrate({ databaseUrl });
  const seeded = await seed({ databaseUrl, stripeUrl: stripe.url, stripeKey, users });
  const database = new Client({ connectionString: databaseUrl });
  await database.connect();
  const cache = connectRedis({ url: cacheRedis.url, role: 'worker', logger: silent });
  const queue = connectRedis({ url: queueRedis.url, role: 'worker', logger: silent });
  return {
    ...createStarters({
      LOG_LEVEL: 'info',
      DATABASE_URL: databaseUrl,
      REDIS_URL: queueRedis.url,
      CACHE_REDIS_URL: cacheRedis.url,
      STRIPE_SECRET_KEY: stripeKey,
      STRIPE_API_BASE: stripe.url,
      STRIPE_WEBHOOK_SECRET: webhookSecret,
      ADMIN_API_KEY: `bench:${randomBytes(16).toString('hex')}`,
      // For our worker and its peers.
      WORKER_CONCURRENCY: '32',
    }),
    database,
    cache,
    queue,
    seeded,
    nextEvent: createSubscriptionEvents(seeded),
    async clear() {
      cache.disconnect();
      queue.disconnect();
      await database.end();
      await Promise.all([stripe.stop(), queueRedis.stop(), cacheRedis.stop()]);
      await postgres.stop();
      rmSync(stripeState, { recursive: true, force: true });
    },
  };
}

function startStripe(stateDir: string): Promise<Running> {
  return startProcess({
    script: entries.stripe,
    readyPath: '/healthz',
    env: (port) => ({
      OFFLINE_STRIPE_PORT: String(port),
      OFFLINE_STRIPE_STATE_DIR: stateDir,
      OFFLINE_STRIPE_WEBHOOK_URL: 'http://127.0.0.1:9/',
      STRIPE_WEBHOOK_SECRET: webhookSecret,
    }),
  });
}

function createStarters(common: Env): Starters {
  return {
    startApi: (env = {}) =>
      startProcess({
        script: entries.api,
        nodeArguments: appNodeArguments,
        env: (port) => ({ ...common, PORT: String(port), ...env }),
      }),
    startWorker: (env = {}) =>
      startProcess({
        script: entries.worker,
        nodeArguments: appNodeArguments,
        env: (port) => ({ ...common, WORKER_PORT: String(port), ...env }),
      }),
    startPeer: (name, settings = {}) =>
      startProcess({
        script: entries.bench(name),
        env: (port) => ({ ...common, BENCH_PORT: String(port), ...settings }),
      }),
  };
}
