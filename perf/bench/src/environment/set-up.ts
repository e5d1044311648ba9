import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connectServer, createLogger, migrate } from '@billing/platform';
import { ensureDatabase, startPostgres, startRedis } from '@billing/testing';
import type { Redis } from 'ioredis';
import { Client } from 'pg';
import { createSubscriptionEvents } from '../load/subscription-events.ts';
import type { NextEvent } from '../load/subscription-events.ts';
import { entries } from '../paths.ts';
import { setUpPeersDatabase } from './peers-database.ts';
import { seed } from './seed.ts';
import type { Seeded } from './seed.ts';
import { startProcess } from './start-process.ts';
import type { Running } from './start-process.ts';
import { createStarters } from './starters.ts';
import type { Starters } from './starters.ts';

export const webhookSecret = `whsec_${randomBytes(16).toString('hex')}`;
const stripeKey = 'sk_test_bench';

const silent = createLogger({ service: 'bench', level: 'error', format: 'pretty' });

/** What all variants use; `startersFor` gives what starts them. */
export type Surroundings = {
  database: Client;
  /** The rivals' own database. */
  peersDatabase: Client;
  cache: Redis;
  queue: Redis;
  /** Pids of the servers that all variants share. */
  shared: { postgres: number; queueRedis: number; cacheRedis: number };
  stripeUrl: string;
  seeded: Seeded;
  /** One sequence for all scenarios, so that each event is newer than all before it. */
  nextEvent: NextEvent;
  /** By the path of the Node that runs the measured processes. */
  startersFor: (node: string) => Starters;
  clear: () => Promise<void>;
};

export type BenchEnvironment = Omit<Surroundings, 'startersFor' | 'clear'> & Starters;

/** Starts all around the measured processes: Postgres, a persistent Redis, a cache Redis, the offline Stripe, data. */
export async function setUpEnvironment({ users }: { users: number }): Promise<Surroundings> {
  const stripeState = mkdtempSync(join(tmpdir(), 'billing-bench-stripe-'));
  const [postgres, queueRedis, cacheRedis, stripe] = await Promise.all([
    startPostgres({ settings: { track_commit_timestamp: 'on' } }),
    startRedis({ isPersistent: true }),
    startRedis({ evictionPolicy: 'allkeys-lru' }),
    startStripe(stripeState),
  ]);
  const databaseUrl = await ensureDatabase(postgres, 'bench');
  await migrate({ databaseUrl });
  const seeded = await seed({ databaseUrl, stripeUrl: stripe.url, stripeKey, users });
  const database = new Client({ connectionString: databaseUrl });
  await database.connect();
  const peers = await setUpPeersDatabase(postgres);
  const cache = connectServer({ url: cacheRedis.url, role: 'worker', logger: silent });
  const queue = connectServer({ url: queueRedis.url, role: 'worker', logger: silent });
  const common = {
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
    BENCH_DATABASE_URL: peers.url,
  };
  return {
    database,
    peersDatabase: peers.client,
    cache,
    queue,
    shared: { postgres: postgres.pid, queueRedis: queueRedis.pid, cacheRedis: cacheRedis.pid },
    stripeUrl: stripe.url,
    seeded,
    nextEvent: createSubscriptionEvents(seeded),
    startersFor: (node) => createStarters(common, node),
    async clear() {
      cache.disconnect();
      queue.disconnect();
      await Promise.all([database.end(), peers.client.end()]);
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
