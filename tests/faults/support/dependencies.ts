import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { oddSettings, startPostgres, startTestRedis } from '@billing/testing';
import type { PostgresServer, ProxyMode, TestRedis, TestRedisOptions } from '@billing/testing';
import { Redis } from 'ioredis';
import { Client, Pool } from 'pg';
import { copyPreparedDatabase } from './prepared-database.ts';
import { bothSides, startProxies } from './proxies.ts';
import type { DependencyName, Proxy, Side } from './proxies.ts';
import { createServiceProcess, takePort } from './service-process.ts';
import type { ServiceProcess } from './service-process.ts';

export type DependencyOptions = { queueRedis?: TestRedisOptions; cacheRedis?: TestRedisOptions };

type Database = {
  url: string;
  port: number;
  pool: Pool;
  /** Runs statements on the server's database `postgres`: also while the other one is locked or read-only. */
  asAdmin: (...statements: string[]) => Promise<void>;
  /** `immediate`: as a crash. */
  stop: (how: 'fast' | 'immediate') => Promise<void>;
  start: () => Promise<void>;
  close: () => Promise<void>;
};

export type Dependencies = {
  dir: string;
  database: Database;
  queueRedis: TestRedis;
  cacheRedis: TestRedis;
  stripe: ServiceProcess;
  proxyOf: (side: Side, name: DependencyName) => Proxy;
  /** Where a process of this side finds everything. */
  environmentOf: (side: Side) => Record<string, string>;
  /** Connections of the test, past the proxies. */
  direct: { queue: Redis; cache: Redis };
  /** Switches a dependency's proxies, on one side or both. */
  setMode: (name: DependencyName, mode: ProxyMode, sides?: readonly Side[]) => Promise<void>;
  setDelay: (name: DependencyName, ms: number, sides?: readonly Side[]) => Promise<void>;
  close: () => Promise<void>;
};

/** A statement that ends all sessions of the service's database. */
export const endSessions = `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = 'billing'`;

/** Processes are killed, never the machine: what was written is there without being flushed. */
const settings = { ...oddSettings, fsync: 'off', full_page_writes: 'off' };

/** Postgres on a folder and a port that outlive it, so that it can be killed and started again. */
async function startDatabase(dir: string): Promise<Database> {
  const port = await takePort();
  const start = (): Promise<PostgresServer> => startPostgres({ dir: join(dir, 'postgres'), port, settings });
  copyPreparedDatabase(join(dir, 'postgres'));
  let server = await start();
  const url = server.urlOf('billing');
  // Of the tests' own statements.
  const options = '-c timezone=UTC -c datestyle=ISO';
  const pool = new Pool({ connectionString: url, options, max: 3, connectionTimeoutMillis: 5_000 });
  // Sessions are ended on purpose, idle and busy ones.
  pool.on('error', () => undefined);
  pool.on('connect', (client) => client.on('error', () => undefined));
  return {
    url,
    port,
    pool,
    asAdmin: async (...statements) => {
      const client = new Client({ connectionString: server.url });
      await client.connect();
      for (const statement of statements) await client.query(statement);
      await client.end();
    },
    stop: async (how) => {
      if (how === 'immediate') server.kill('SIGQUIT');
      else server.kill('SIGINT');
      await server.exited;
    },
    start: async () => {
      server = await start();
    },
    close: async () => {
      await pool.end();
      await server.stop();
    },
  };
}

const quietRedis = (url: string): Redis => {
  const redis = new Redis(url, { maxRetriesPerRequest: 3, retryStrategy: () => 100 });
  redis.on('error', () => undefined);
  return redis;
};

/**
 * Postgres, two Redis servers and the offline Stripe, a process each. API and worker reach each of them through a
 * proxy of their side, whose faults the test switches.
 */
export async function startDependencies(
  options: DependencyOptions,
  webhookSecret: string,
): Promise<Dependencies> {
  const dir = mkdtempSync(join(tmpdir(), 'billing-faults-'));
  const stripePort = await takePort();
  const stripe = createServiceProcess({
    name: 'stripe',
    script: 'tools/offline-stripe/dist/main.js',
    readyPath: '/healthz',
    port: stripePort,
    dir,
    env: {
      OFFLINE_STRIPE_PORT: String(stripePort),
      OFFLINE_STRIPE_STATE_DIR: join(dir, 'stripe'),
      OFFLINE_STRIPE_WEBHOOK_URL: 'http://127.0.0.1:9/',
      STRIPE_WEBHOOK_SECRET: webhookSecret,
    },
  });
  const [database, queueRedis, cacheRedis] = await Promise.all([
    startDatabase(dir),
    startTestRedis({ isPersistent: false, port: await takePort(), ...options.queueRedis }),
    startTestRedis({ isPersistent: false, port: await takePort(), ...options.cacheRedis }),
    stripe.start(),
  ]);
  const ports = {
    database: database.port,
    queue: queueRedis.port,
    cache: cacheRedis.port,
    stripe: stripePort,
  };
  const { proxyOf, close: closeProxies } = await startProxies(ports);
  const queue = quietRedis(queueRedis.url);
  const cache = quietRedis(cacheRedis.url);

  const environmentOf = (side: Side): Record<string, string> => ({
    DATABASE_URL: proxyOf(side, 'database').urlFor(database.url),
    REDIS_URL: proxyOf(side, 'queue').urlFor(queueRedis.url),
    CACHE_REDIS_URL: proxyOf(side, 'cache').urlFor(cacheRedis.url),
    STRIPE_API_BASE: proxyOf(side, 'stripe').urlFor(stripe.url),
    STRIPE_SECRET_KEY: 'sk_test_faults',
    STRIPE_WEBHOOK_SECRET: webhookSecret,
  });

  return {
    dir,
    database,
    queueRedis,
    cacheRedis,
    stripe,
    proxyOf,
    environmentOf,
    direct: { queue, cache },
    setMode: async (name, mode, sides = bothSides) => {
      await Promise.all(sides.map((side) => proxyOf(side, name).setMode(mode)));
    },
    setDelay: async (name, ms, sides = bothSides) => {
      await Promise.all(sides.map((side) => proxyOf(side, name).setDelay(ms)));
    },
    close: async () => {
      queue.disconnect();
      cache.disconnect();
      queueRedis.resume();
      cacheRedis.resume();
      await stripe.stop(5_000);
      await Promise.all([queueRedis.stop(), cacheRedis.stop(), database.close()]);
      await closeProxies();
      rmSync(dir, { recursive: true, force: true });
    },
  };
}
