import { Client } from 'pg';
import { createTestDatabase, type TestDatabase } from '@billing/testing';
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

const tables = ['users', 'customers', 'subscriptions', 'subscription_items', 'purchases', 'purchase_items'];
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
])('refuses %j', (args, message) => {
  expect(() => parseOptions(args)).toThrow(message);
});
