import { randomBytes, randomUUID } from 'node:crypto';
import { migrate } from '@billing/platform';
import { ensureDatabase, startRedis } from '@billing/testing';
import type { PostgresServer } from '@billing/testing';
import { Client } from 'pg';
import type { Running } from '../bench/src/environment/start-process.ts';
import { createStarters } from '../bench/src/environment/starters.ts';
import { createHttpClient } from '../bench/src/load/http-client.ts';
import { failOnFailed, openLoop } from '../bench/src/load/open-loop.ts';
import type { Latencies } from '../bench/src/load/open-loop.ts';
import { parseOptions } from '../seed-load/src/options.ts';
import { meteredFeature } from '../seed-load/src/plan.ts';
import { seedLoad } from '../seed-load/src/seed-load.ts';

export type ShopOptions = { name: string; users: number; events: number; stripeUrl: string };

/** A database with users of whom so many events of usage are stored, and an API of its own on it. */
export type Shop = {
  name: string;
  api: Running;
  /** What tables and indexes of usage take. */
  size: () => Promise<string>;
  /** One enforced call of each user; those who may use nothing, as some do not pay, are not asked again. */
  touchAll: () => Promise<void>;
  /** Enforced calls of any others, at a fixed rate. */
  takeAtRate: (rate: { perSecond: number; seconds: number }) => Promise<Latencies>;
  stop: () => Promise<void>;
};

const atOnce = 32;

export async function openShop(
  postgres: PostgresServer,
  { name, users, events, stripeUrl }: ShopOptions,
  say: (line: string) => void,
): Promise<Shop> {
  const databaseUrl = await ensureDatabase(postgres, name);
  await migrate({ databaseUrl });
  const stripeSecretKey = 'sk_test_growth';
  const shape = `--users ${users} --subscribed 1 --purchased 0 --usage-events ${events}`;
  const options = parseOptions(shape.split(' '));
  const target = {
    databaseUrl,
    apiUrl: '',
    workerUrl: undefined,
    stripeApiBase: stripeUrl,
    stripeSecretKey,
    webhookSecret: undefined,
  };
  const lines = await seedLoad(options, target, (line) => say(`${name}: ${line}`));
  const valueOf = (variable: string): string =>
    lines.find((line) => line.startsWith(`${variable}=`))?.slice(variable.length + 1) ?? '';
  const [apiKey, prefix] = [valueOf('API_KEY'), valueOf('USER_PREFIX')];
  const client = new Client({ connectionString: databaseUrl });
  await client.connect();
  await client.query('VACUUM (ANALYZE)');
  const [queue, cache] = [
    await startRedis({ isPersistent: true }),
    await startRedis({ evictionPolicy: 'allkeys-lru' }),
  ];
  const common = {
    DATABASE_URL: databaseUrl,
    REDIS_URL: queue.url,
    CACHE_REDIS_URL: cache.url,
    STRIPE_SECRET_KEY: stripeSecretKey,
    STRIPE_API_BASE: stripeUrl,
    STRIPE_WEBHOOK_SECRET: `whsec_${randomBytes(16).toString('hex')}`,
    ADMIN_API_KEY: `growth:${randomBytes(16).toString('hex')}`,
  };
  const api = await createStarters(common, process.execPath).startApi();
  const taker = createTaker({ url: api.url, apiKey, prefix });

  return {
    name,
    api,
    size: async () => {
      const { rows } = await client.query<{ size: string; events: string }>(`
        SELECT pg_size_pretty(sum(pg_total_relation_size(c.oid))) AS size,
          (SELECT count(*) FROM public.usage_event_ids) AS events
        FROM pg_class c WHERE c.relkind = 'r' AND c.relname ~ '^usage_'`);
      return `${rows[0]?.events} events, ${rows[0]?.size}`;
    },
    touchAll: () => taker.touchAll(users),
    takeAtRate: async (rate) => {
      const latencies = await openLoop({ ...rate, request: () => taker.takeOfAny() });
      failOnFailed(latencies, 'calls');
      return latencies;
    },
    stop: async () => {
      taker.close();
      await api.stop();
      await Promise.all([queue.stop(), cache.stop(), client.end()]);
    },
  };
}

function createTaker({ url, apiKey, prefix }: { url: string; apiKey: string; prefix: string }) {
  const http = createHttpClient(url);
  const headers = { authorization: `Bearer ${apiKey}`, 'content-type': 'application/json' };
  const payers: number[] = [];

  /** Whether it was allowed. */
  async function take(number: number): Promise<boolean> {
    const event = { user_id: `${prefix}${number}`, feature_code: meteredFeature, event_id: randomUUID() };
    const call = { method: 'POST', path: '/api/v1/usage', headers, body: JSON.stringify(event) };
    const { status, text } = await http.send(call);
    if (status !== 200) throw new Error(`answered ${status}: ${text}`);
    return text.includes('"recorded":true');
  }

  return {
    async touchAll(users: number): Promise<void> {
      let next = 1;
      const work = async (): Promise<void> => {
        while (next <= users) {
          const number = next++;
          if (await take(number)) payers.push(number);
        }
      };
      await Promise.all(Array.from({ length: atOnce }, work));
    },
    async takeOfAny(): Promise<void> {
      const number = payers[Math.floor(Math.random() * payers.length)] ?? 0;
      if (!(await take(number))) throw new Error(`user ${number} may not use it any more`);
    },
    close: () => http.close(),
  };
}
