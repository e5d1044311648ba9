import { Client } from 'pg';
import { createTestDatabase, type TestDatabase } from '@billing/testing';
import { startTestApi } from '../../../apps/api/src/testing/start-test-api.test-support.ts';
import { parseOptions } from './options.ts';
import { seedLoad } from './seed-load.ts';

let database: TestDatabase;
let client: Client;

beforeAll(async () => {
  database = await createTestDatabase();
  client = new Client({ connectionString: database.url });
  await client.connect();
});
afterAll(async () => {
  await client.end();
  await database.drop();
});

const seed = async (...args: string[]) => {
  const said: string[] = [];
  const target = {
    databaseUrl: database.url,
    apiUrl: 'http://127.0.0.1:1',
    workerUrl: undefined,
    stripeApiBase: undefined,
    stripeSecretKey: 'sk_test_offline',
    webhookSecret: 'whsec_offline',
  };
  const lines = await seedLoad(parseOptions(args), target, (line) => said.push(line));
  return { said, env: Object.fromEntries(lines.map((line) => line.split(/=(.*)/s).slice(0, 2))) };
};

const usageTables = ['usage_events', 'usage_event_ids', 'usage_slots', 'usage_states', 'usage_ended_buckets'];
const tables = [
  'users',
  'customers',
  'subscriptions',
  'subscription_items',
  'purchases',
  'purchase_items',
  'features',
  ...usageTables,
];
async function contents(): Promise<Record<string, string>> {
  const found: Record<string, string> = {};
  for (const table of [...tables, 'projects', 'products', 'prices', 'api_keys']) {
    const rows = await client.query(`SELECT count(*) AS rows FROM ${table}`);
    found[table] = rows.rows[0].rows;
  }
  return found;
}
const numberOf = async (sql: string): Promise<number> => Number((await client.query(sql)).rows[0].count);

test('fills the database with the given distribution, and prints what the load tools need', async () => {
  const { env, said } = await seed('--users', '1000', '--subscribed', '0.6', '--purchased', '0.2');
  expect(await numberOf(`SELECT count(*) FROM users WHERE project_id = 'load-test'`)).toBe(1000);
  expect(await numberOf(`SELECT count(*) FROM subscriptions WHERE status <> 'canceled'`)).toBe(600);
  expect(await numberOf(`SELECT count(*) FROM subscriptions WHERE status = 'active'`)).toBeGreaterThan(480);
  const purchases = await numberOf('SELECT count(*) FROM purchases');
  expect(purchases).toBeGreaterThan(140);
  expect(purchases).toBeLessThan(260);
  expect(env).toMatchObject({
    PROJECT_ID: 'load-test',
    USER_PREFIX: 'load-user-',
    CHECKOUT_USER_FROM: '801',
    CHECKOUT_USER_TO: '1000',
    WEBHOOK_USER_TO: '600',
    WEBHOOK_SECRET: 'whsec_offline',
  });
  expect(env).not.toHaveProperty('PRICE_ID');
  expect(said.join('\n')).toContain('No price for checkouts');
});

test('users of the checkout range are unknown to Stripe, and every row is attached to its user', async () => {
  expect(
    await numberOf(`SELECT count(*) FROM customers AS c JOIN users AS u ON u.id = c.user_ref
      WHERE substr(u.user_id, 11)::int > 800`),
  ).toBe(0);
  expect(
    await numberOf(`SELECT count(*) FROM subscriptions AS s JOIN users AS u ON u.id = s.user_ref
      WHERE substr(u.user_id, 11)::int > 600 AND s.status <> 'canceled'`),
  ).toBe(0);
  expect(
    await numberOf(`SELECT count(*) FROM subscriptions AS s JOIN users AS u ON u.id = s.user_ref
      JOIN customers AS c ON c.stripe_customer_id = s.stripe_customer_id
      WHERE c.user_ref = u.id AND s.claimed_user_id = u.user_id AND EXISTS (
        SELECT FROM subscription_items AS i JOIN prices AS p USING (stripe_price_id) WHERE i.subscription_id = s.id)`),
  ).toBe(await numberOf('SELECT count(*) FROM subscriptions'));
  expect(
    await numberOf(`SELECT count(*) FROM purchases AS p JOIN customers AS c USING (stripe_customer_id)
      JOIN purchase_items AS i ON i.purchase_id = p.id WHERE c.user_ref = p.user_ref`),
  ).toBe(await numberOf('SELECT count(*) FROM purchases'));
});

test('without --usage-events nothing was used', async () => {
  for (const table of usageTables) expect(await numberOf(`SELECT count(*) FROM ${table}`)).toBe(0);
});

test('a second run changes nothing but the key, and invalidates the caches', async () => {
  const before = await contents();
  const pending = await numberOf('SELECT count(*) FROM cache_invalidations');
  const { env } = await seed('--users', '1000');
  expect(await contents()).toEqual(before);
  expect(await numberOf('SELECT count(*) FROM cache_invalidations')).toBeGreaterThan(pending);
  expect(env['API_KEY']).toMatch(/^proj_/);
});

test('another shape is refused; another project can exist beside it; --remove deletes one project only', async () => {
  await expect(seed('--users', '500')).rejects.toThrow('Remove it with --remove');
  const before = await contents();
  await seed('--users', '50', '--project', 'other');
  await seed('--project', 'other', '--remove');
  expect(await contents()).toEqual(before);
  await seed('--remove');
  expect(new Set(Object.values(await contents()))).toEqual(new Set(['0']));
});

describe('events of usage', () => {
  test('are folded into states and buckets as if they had been recorded', async () => {
    const { env } = await seed('--users', '60', '--subscribed', '0.5', '--usage-events', '2010');
    expect(env).toMatchObject({ USAGE_FEATURE: 'api_calls', USAGE_USER_FROM: '1', USAGE_USER_TO: '30' });
    expect(await numberOf('SELECT count(*) FROM usage_events')).toBe(2010);
    expect(await numberOf('SELECT count(*) FROM usage_event_ids')).toBe(2010);
    expect(await numberOf('SELECT count(*) FROM usage_states WHERE usage_seq = 67')).toBe(30);
    const total = await numberOf('SELECT sum(quantity) AS count FROM usage_events');
    expect(await numberOf('SELECT sum(quantity) AS count FROM usage_slots')).toBe(total);
    // Each bucket has what the parts of events say.
    const wrong = `
      WITH parts AS (SELECT e.user_id, p ->> 'start' AS start, sum((p ->> 'quantity')::bigint) AS used
          FROM usage_events e, jsonb_array_elements(e.parts) p GROUP BY 1, 2),
        buckets AS (SELECT user_id, b ->> 'start' AS start, (b ->> 'used')::bigint AS used
          FROM usage_states, jsonb_array_elements(buckets) b
          UNION ALL SELECT user_id, bucket ->> 'start', (bucket ->> 'used')::bigint FROM usage_ended_buckets)
      SELECT count(*) FROM parts FULL JOIN buckets USING (user_id, start)
      WHERE parts.used IS DISTINCT FROM buckets.used`;
    expect(await numberOf(wrong)).toBe(0);
    expect(await numberOf('SELECT count(*) FROM usage_ended_buckets')).toBeGreaterThanOrEqual(30);
  });

  test('are what the API answers with and takes on from', async () => {
    const { env } = await seed('--users', '60', '--subscribed', '0.5', '--usage-events', '2010');
    const api = await startTestApi({ database });
    try {
      const active = await client.query<{ user_id: string; source_id: string }>(
        `SELECT u.user_id, s.id AS source_id FROM subscriptions s JOIN users u ON u.id = s.user_ref
         WHERE s.status = 'active' LIMIT 20`,
      );
      expect(active.rows.length).toBeGreaterThan(10);
      const authorization = `Bearer ${env['API_KEY']}`;
      for (const { user_id: userId, source_id: sourceId } of active.rows) {
        const account = { user_id: userId, feature_code: 'api_calls' };
        const now = await client.query<{ bucket: { start: number; used: number; allowance: number } }>(
          `SELECT b AS bucket FROM usage_states, jsonb_array_elements(buckets) b WHERE user_id = $1`,
          [userId],
        );
        const bucket = now.rows[0]?.bucket;
        const check = await api.http().get('/api/v1/check').query(account).set({ authorization });
        expect(check.body).toMatchObject({ allowed: true, usage_seq: 67 });
        expect(check.body.balance.buckets).toMatchObject([
          {
            source_id: sourceId,
            used: bucket?.used ?? 0,
            ...(bucket === undefined
              ? {}
              : { granted: bucket.allowance, period_start: new Date(bucket.start).toISOString() }),
          },
        ]);
        const use = { ...account, event_id: `next of ${userId}`, quantity: 5 };
        const used = await api.http().post('/api/v1/usage').send(use).set({ authorization });
        expect(used.body).toMatchObject({ recorded: true, usage_seq: 68 });
        expect(used.body.balance.used).toBe(check.body.balance.used + 5);
      }
    } finally {
      await api.close();
    }
  }, 30_000);

  test('go with the project', async () => {
    await seed('--remove');
    expect(new Set(Object.values(await contents()))).toEqual(new Set(['0']));
  });
});

test('a project that seed:load did not create is never removed', async () => {
  await client.query(`INSERT INTO projects (id, name) VALUES ('mine', 'Mine')`);
  await expect(seed('--project', 'mine', '--remove')).rejects.toThrow('not made by seed:load');
  await expect(seed('--project', 'mine')).rejects.toThrow('not made by seed:load');
});

test.each([
  [['--users', '0'], '--users must be at least 1'],
  [['--subscribed', '1.5'], '--subscribed must be at most 1'],
  [['--users', 'many'], '--users must be a number'],
  [['--project', 'a b'], '--project may have'],
  [['--usage-events=-1'], '--usage-events must be at least 0'],
  [['--usage-events', '1.5'], '--usage-events must be a whole number'],
])('refuses %j', (args, message) => {
  expect(() => parseOptions(args)).toThrow(message);
});
