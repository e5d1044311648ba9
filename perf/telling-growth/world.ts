import { randomBytes } from 'node:crypto';
import { createOfflineStripe } from '@billing/offline-stripe';
import { migrate } from '@billing/platform';
import { ensureDatabase, startPostgres, startRedis, waitFor } from '@billing/testing';
import { Redis } from 'ioredis';
import { Client } from 'pg';
import { z } from 'zod';
import { createStarters } from '../bench/src/environment/starters.ts';
import { createAdminClient } from '../bench/src/load/admin-client.ts';
import type { AdminClient } from '../bench/src/load/admin-client.ts';
import { createHttpClient } from '../bench/src/load/http-client.ts';
import { openLoop } from '../bench/src/load/open-loop.ts';
import type { Latencies } from '../bench/src/load/open-loop.ts';
import { startReceiver } from '../bench/src/scenarios/webhooks-out/receiver.ts';
import type { Receiver } from '../bench/src/scenarios/webhooks-out/receiver.ts';
import { countCpu } from '../bench/src/measure/cpu-time.ts';
import type { Cpu } from '../bench/src/measure/cpu-time.ts';
import { fillUsers, projectId } from './fill.ts';

export type WorldOptions = {
  users: number;
  fanOutPerSecond: number;
  boundariesPerSecond: number;
  dir?: string | undefined;
};

/** An API, a worker, and a product that is told of many users. */
export type World = {
  users: number;
  client: Client;
  cache: Redis;
  receiver: Receiver;
  admin: AdminClient['call'];
  makeEndpoint: () => Promise<void>;
  /** One more feature for a user, made just now. */
  grant: (userId: string, featureCode: string) => Promise<void>;
  anyUser: () => string;
  /** Checks of any users at a fixed rate; what failed is counted. */
  check: (rate: { perSecond: number; seconds: number }) => Promise<Latencies>;
  countOf: (sql: string) => Promise<number>;
  /** Counts the CPU of API, worker and Postgres. */
  countCpu: () => (count: number) => Cpu;
  /** Whether everything is told, and delivered. */
  isQuiet: () => Promise<boolean>;
  stop: () => Promise<void>;
};

const message = z.object({
  type: z.string(),
  data: z.object({
    user_id: z.string().optional(),
    entitlements: z.array(z.object({ feature_code: z.string() })).optional(),
  }),
});

/** Of a message its type, whom it is about and which codes the user has: a million of them stay in memory. */
const keepStates = (body: string): string => JSON.stringify(message.parse(JSON.parse(body)));

export const readKept = (body: string): z.output<typeof message> => message.parse(JSON.parse(body));

const keyOut = z.object({ api_key: z.string() });
const settings = { shared_buffers: '1GB', max_wal_size: '4GB', maintenance_work_mem: '512MB' };

const environmentOf = (options: WorldOptions, adminSecret: string) => ({
  STRIPE_SECRET_KEY: 'sk_test_growth',
  STRIPE_WEBHOOK_SECRET: `whsec_${randomBytes(16).toString('hex')}`,
  ADMIN_API_KEY: `growth:${adminSecret}`,
  WEBHOOK_SECRET_KEY: randomBytes(32).toString('base64'),
  WEBHOOK_ALLOW_HTTP: 'true',
  WEBHOOK_ALLOWED_NETWORKS: '127.0.0.0/8',
  WEBHOOK_FANOUT_PER_SECOND: String(options.fanOutPerSecond),
  WEBHOOK_BOUNDARIES_PER_SECOND: String(options.boundariesPerSecond),
});

async function openFilled(databaseUrl: string, users: number, say: (line: string) => void): Promise<Client> {
  await migrate({ databaseUrl });
  const client = new Client({ connectionString: databaseUrl });
  await client.connect();
  const startedAt = performance.now();
  await fillUsers(client, users);
  say(`${users} users filled in ${((performance.now() - startedAt) / 1000).toFixed(0)} s`);
  return client;
}

export async function startWorld(options: WorldOptions, say: (line: string) => void): Promise<World> {
  const { users, dir } = options;
  const offline = createOfflineStripe({ stateDir: null, webhookUrl: null, webhookSecret: 'whsec_unused' });
  const [stripe, postgres, queueRedis, cacheRedis, receiver] = await Promise.all([
    offline.listen(0),
    startPostgres({ ...(dir === undefined ? {} : { dir }), settings }),
    startRedis({ isPersistent: true }),
    startRedis({ evictionPolicy: 'allkeys-lru' }),
    startReceiver(keepStates),
  ]);
  const databaseUrl = await ensureDatabase(postgres, 'telling');
  const client = await openFilled(databaseUrl, users, say);
  const cache = new Redis(cacheRedis.url);
  const adminSecret = randomBytes(16).toString('hex');
  const env = {
    ...environmentOf(options, adminSecret),
    DATABASE_URL: databaseUrl,
    REDIS_URL: queueRedis.url,
    CACHE_REDIS_URL: cacheRedis.url,
    STRIPE_API_BASE: stripe.url,
  };
  const starters = createStarters(env, process.execPath);
  const [api, worker] = await Promise.all([starters.startApi(), starters.startWorker()]);
  const http = createHttpClient(api.url);
  const { call: admin, close: closeAdmin } = createAdminClient(api.url, adminSecret);
  const { api_key: apiKey } = keyOut.parse(await admin('POST', `/projects/${projectId}/api-keys`, {}));
  const anyUser = (): string => `user_${1 + Math.floor(Math.random() * users)}`;

  async function checkOnce(): Promise<void> {
    const path = `/api/v1/entitlements?user_id=${anyUser()}`;
    const { status, text } = await http.send({ path, headers: { authorization: `Bearer ${apiKey}` } });
    if (status !== 200) throw new Error(`a check answered ${status}: ${text}`);
  }

  async function countOf(sql: string): Promise<number> {
    const { rows } = await client.query<{ count: string }>(`SELECT count(*) AS count FROM ${sql}`);
    return Number(rows[0]?.count);
  }

  return {
    users,
    client,
    cache,
    receiver,
    admin,
    anyUser,
    countOf,
    countCpu: () => countCpu({ API: api.pid, worker: worker.pid, Postgres: postgres.pid }),
    makeEndpoint: async () =>
      void (await admin('POST', `/projects/${projectId}/webhook-endpoints`, { url: receiver.urlOf('told') })),
    grant: async (userId, featureCode) => {
      const body = { project_id: projectId, user_id: userId, feature_code: featureCode, reason: 'growth' };
      await admin('POST', '/grant', body);
    },
    check: (rate) => openLoop({ ...rate, request: checkOnce }),
    isQuiet: async () =>
      (await countOf('public.webhook_marks')) +
        (await countOf('public.webhook_fan_outs')) +
        (await countOf(`public.webhook_deliveries WHERE status = 'pending'`)) ===
      0,
    stop: async () => {
      http.close();
      closeAdmin();
      cache.disconnect();
      receiver.close();
      await Promise.all([api.stop(), worker.stop()]);
      await client.end();
      await Promise.all([stripe.close(), queueRedis.stop(), cacheRedis.stop()]);
      await postgres.stop();
    },
  };
}

export const untilQuiet = (world: World, timeoutMs: number): Promise<unknown> =>
  waitFor(world.isQuiet, { timeoutMs, intervalMs: 500, what: 'everything to be told' });
