import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { migrate } from '@billing/platform';
import { createTestProxy, ensureDatabase, startPostgres, startTestRedis } from '@billing/testing';
import type { PostgresServer, ProxyMode, TestProxy, TestRedisOptions } from '@billing/testing';
import { Redis } from 'ioredis';
import { Pool } from 'pg';
import { createServiceProcess } from './service-process.ts';
import { takePort } from './take-port.ts';

export type DependencyOptions = { queueRedis?: TestRedisOptions; cacheRedis?: TestRedisOptions };

export const dependencyNames = ['database', 'queue', 'cache', 'stripe'] as const;
export type DependencyName = (typeof dependencyNames)[number];
export type Side = 'api' | 'worker';

export type Dependencies = Awaited<ReturnType<typeof startDependencies>>;

/** Postgres on a folder and a port that outlive it, so that it can be killed and started again. */
async function startDatabase(dir: string) {
  const port = await takePort();
  const start = (): Promise<PostgresServer> => startPostgres({ dir: join(dir, 'postgres'), port });
  let server = await start();
  const url = await ensureDatabase(server, 'billing');
  await migrate({ databaseUrl: url });
  const pool = new Pool({ connectionString: url, max: 3, connectionTimeoutMillis: 5_000 });
  // Sessions are ended on purpose, idle and busy ones.
  pool.on('error', () => undefined);
  pool.on('connect', (client) => client.on('error', () => undefined));
  return {
    url,
    port,
    pool,
    /** Of the database `postgres`: reaches the server while the other one is locked or read-only. */
    adminUrl: server.url,
    /** `immediate`: as a crash. */
    stop: async (how: 'fast' | 'immediate'): Promise<void> => {
      if (how === 'immediate') server.kill('SIGQUIT');
      else server.kill('SIGINT');
      await server.exited;
    },
    start: async (): Promise<void> => {
      server = await start();
    },
    close: async (): Promise<void> => {
      await pool.end();
      await server.stop();
    },
  };
}

type Proxies = Record<DependencyName, TestProxy>;

async function startProxies(ports: Record<DependencyName, number>): Promise<Proxies> {
  const [database, queue, cache, stripe] = await Promise.all(
    dependencyNames.map(async (name) => createTestProxy({ port: ports[name], listenOn: await takePort() })),
  );
  if (database === undefined || queue === undefined || cache === undefined || stripe === undefined)
    throw new Error('a proxy for each dependency');
  return { database, queue, cache, stripe };
}

const quietRedis = (url: string): Redis => {
  const redis = new Redis(url, { maxRetriesPerRequest: 3, retryStrategy: () => 100 });
  redis.on('error', () => undefined);
  return redis;
};

/**
 * Postgres, two Redis servers and the offline Stripe as processes of their own; API and worker reach each through
 * a proxy of their own side, whose faults the test switches.
 */
export async function startDependencies(options: DependencyOptions, webhookSecret: string) {
  const dir = mkdtempSync(join(tmpdir(), 'billing-faults-'));
  const stripePort = await takePort();
  const stripe = createServiceProcess({
    name: 'stripe',
    script: 'packages/offline-stripe/dist/main.js',
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
  const proxies: Record<Side, Proxies> = {
    api: await startProxies(ports),
    worker: await startProxies(ports),
  };
  const queue = quietRedis(queueRedis.url);
  const cache = quietRedis(cacheRedis.url);

  /** What a process of this side is told about where everything is. */
  const environmentOf = (side: Side): Record<string, string> => ({
    DATABASE_URL: proxies[side].database.urlFor(database.url),
    REDIS_URL: proxies[side].queue.urlFor(queueRedis.url),
    CACHE_REDIS_URL: proxies[side].cache.urlFor(cacheRedis.url),
    STRIPE_API_BASE: `http://127.0.0.1:${proxies[side].stripe.port}`,
    STRIPE_SECRET_KEY: 'sk_test_faults',
    STRIPE_WEBHOOK_SECRET: webhookSecret,
  });

  return {
    dir,
    database,
    queueRedis,
    cacheRedis,
    stripe,
    proxies,
    environmentOf,
    /** Connections of the test's own, past the proxies. */
    direct: { queue, cache },
    /** Switches a dependency's proxies, on one side or both. */
    setMode: async (name: DependencyName, mode: ProxyMode, sides: readonly Side[] = ['api', 'worker']) => {
      await Promise.all(sides.map((side) => proxies[side][name].setMode(mode)));
    },
    setDelay: (name: DependencyName, ms: number, sides: readonly Side[] = ['api', 'worker']): void => {
      for (const side of sides) proxies[side][name].setDelay(ms);
    },
    close: async (): Promise<void> => {
      queue.disconnect();
      cache.disconnect();
      queueRedis.resume();
      cacheRedis.resume();
      await stripe.stop(5_000);
      await Promise.all([queueRedis.stop(), cacheRedis.stop(), database.close()]);
      await Promise.all(
        [proxies.api, proxies.worker].flatMap((all) => dependencyNames.map((name) => all[name].close())),
      );
      rmSync(dir, { recursive: true, force: true });
    },
  };
}
