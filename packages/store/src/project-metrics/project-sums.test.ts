import { dayMs } from '@billing/domain';
import { createTestDatabase } from '@billing/testing';
import type { TestDatabase } from '@billing/testing';
import * as fc from 'fast-check';
import { Client } from 'pg';
import { createDatabase } from '../create-database.ts';
import type { Database } from '../create-database.ts';
import { emptySums, hasToSum, sumChanges, sumNextPage } from './bring-up-to-date.ts';
import { countDirectly } from './count-directly.ts';
import { readProjectMetrics, readSums } from './read-project-metrics.ts';
import { verifySums } from './verify-sums.ts';

const now = Date.parse('2027-03-01T12:00:00Z');
const subscriptions = 6;
let place: TestDatabase;
let database: Database;
let owner: Client;
const asOwner = (sql: string) => owner.query(sql);

beforeAll(async () => {
  place = await createTestDatabase();
  owner = new Client({ connectionString: place.ownerUrl });
  await owner.connect();
  database = createDatabase({
    url: place.url,
    poolSize: 6,
    connectTimeoutMs: 5_000,
    statementTimeoutMs: 10_000,
  });
  await asOwner(`
    INSERT INTO public.projects (id, name) VALUES ('p', 'p'), ('q', 'q');
    INSERT INTO public.users (id, project_id, user_id) SELECT n, CASE n % 2 WHEN 0 THEN 'p' ELSE 'q' END, n FROM generate_series(1, 6) n;
    INSERT INTO public.products (project_id, product_id, name) VALUES ('p', 'x', 'x'), ('q', 'x', 'x');
    INSERT INTO public.prices (project_id, price_id, product_id, stripe_price_id, amount, currency, interval) VALUES
      ('p', 'month', 'x', 'price_month', 1000, 'usd', 'month'), ('p', 'year', 'x', 'price_year', 100000, 'eur', 'year'),
      ('p', 'once', 'x', 'price_once', 77, 'usd', 'one_time'), ('q', 'week', 'x', 'price_week', 300, 'jpy', 'week')`);
});
afterAll(async () => {
  await database.$disconnect();
  await owner.end();
  await place.drop();
});

const text = (value: string | null): string => (value === null ? 'NULL' : `'${value}'`);
const at = fc.option(fc.integer({ min: -40, max: 3 }), { nil: null });
const instant = (days: number | null): string =>
  days === null ? 'NULL' : `to_timestamp(${(now + days * dayMs) / 1000})`;
const oneOf = (...values: (string | null)[]) => fc.constantFrom(...values.map(text));
const subscriptionId = fc.integer({ min: 1, max: subscriptions }).map((n) => `'sub_${n}'`);

const status = oneOf(null, 'active', 'trialing', 'past_due', 'canceled', 'unpaid');
const userRef = fc.option(fc.integer({ min: 1, max: 6 }), { nil: null }).map(String);
const discounts = fc
  .array(
    fc.record({
      itemId: fc.constantFrom(null, 'si_1', 'si_2'),
      end: at.map((days) => (days === null ? null : now + days * dayMs)),
      coupon: fc.constantFrom(
        null,
        { percentOff: '25', amountOff: null, currency: null, duration: 'forever' },
        { percentOff: '50', amountOff: null, currency: null, duration: 'repeating' },
        { percentOff: null, amountOff: 150, currency: 'usd', duration: 'repeating' },
        { percentOff: null, amountOff: 150, currency: 'usd', duration: 'once' },
      ),
    }),
    { maxLength: 2 },
  )
  .map((list) => `'${JSON.stringify(list.map((one, n) => ({ ...one, discountId: `di_${n}` })))}'`);

const item = fc
  .record({
    id: subscriptionId,
    item: oneOf('si_1', 'si_2', 'si_3'),
    price: oneOf('price_month', 'price_year', 'price_once', 'price_week', 'price_nobody_sells'),
    quantity: fc.integer({ min: 0, max: 4 }),
    billed: fc.constantFrom('NULL', '1', '2'),
    start: at,
    terms: fc.constantFrom(
      'NULL, NULL, NULL, NULL, NULL',
      `'1250.5', 'usd', 'month', 3, 'licensed'`,
      `'10', 'usd', 'month', 1, 'metered'`,
      `NULL, 'usd', 'month', 1, 'licensed'`,
      `'900', 'jpy', 'week', 2, 'licensed'`,
      `'900', 'jpy', 'one_time', 1, NULL`,
    ),
  })
  .map(
    (
      one,
    ) => `INSERT INTO public.subscription_items (subscription_id, item_id, stripe_price_id, quantity, billed_quantity,
        current_period_start, unit_amount, currency, interval, interval_count, usage_type)
      SELECT id, ${one.item}, ${one.price}, ${one.quantity}, ${one.billed}, ${instant(one.start)}, ${one.terms}
      FROM public.subscriptions WHERE id = ${one.id}
      ON CONFLICT (subscription_id, item_id) DO UPDATE SET stripe_price_id = excluded.stripe_price_id,
        quantity = excluded.quantity, billed_quantity = excluded.billed_quantity,
        current_period_start = excluded.current_period_start, unit_amount = excluded.unit_amount,
        currency = excluded.currency, interval = excluded.interval, interval_count = excluded.interval_count,
        usage_type = excluded.usage_type`,
  );

const set = (column: string, value: fc.Arbitrary<string>) =>
  fc
    .tuple(subscriptionId, value)
    .map(([id, to]) => `UPDATE public.subscriptions SET ${column} = ${to} WHERE id = ${id}`);
const remove = (from: string, column: string) =>
  subscriptionId.map((id) => `DELETE FROM public.${from} WHERE ${column} = ${id}`);
const insert = fc
  .tuple(subscriptionId, status, userRef)
  .map(
    (values) =>
      `INSERT INTO public.subscriptions (id, status, user_ref) VALUES (${values.join(', ')}) ON CONFLICT DO NOTHING`,
  );

const change = fc.oneof(
  { weight: 4, arbitrary: insert },
  { weight: 6, arbitrary: item },
  { weight: 2, arbitrary: set('status', status) },
  set('past_due_since', at.map(instant)),
  set('collection_paused', fc.constantFrom('true', 'false')),
  set('pause_behavior', oneOf(null, 'void', 'keep_as_draft')),
  set('discounts', discounts),
  set('user_ref', userRef),
  set('status', fc.constant(`status, settle_attempts = settle_attempts + 1`)),
  remove('subscriptions', 'id'),
  remove('subscription_items', 'subscription_id'),
  remove('object_owners', 'object_id'),
  fc
    .tuple(subscriptionId, oneOf('p', 'q'))
    .map(
      ([id, project]) =>
        `INSERT INTO public.object_owners VALUES (${id}, ${project}, ${project === `'p'` ? 2 : 1}, 'metadata') ON CONFLICT DO NOTHING`,
    ),
  oneOf('p', 'q').map(
    (to) => `UPDATE public.object_owners o SET project_id = ${to}, user_ref = ${to === `'p'` ? 2 : 1}
    WHERE NOT EXISTS (SELECT FROM public.object_owners other WHERE other.object_id = o.object_id AND other.project_id = ${to})`,
  ),
);
const step = fc.oneof(
  { weight: 5, arbitrary: fc.array(change, { minLength: 1, maxLength: 3 }) },
  { weight: 1, arbitrary: fc.constantFrom('changes', 'page', 'empty') },
);

async function run(one: string[] | string): Promise<void> {
  if (one === 'changes') await sumChanges(database, 3);
  else if (one === 'page') await sumNextPage(database, 2);
  else if (one === 'empty') await emptySums(database);
  else if (Array.isArray(one)) await asOwner(`BEGIN; ${one.join('; ')}; COMMIT`);
}

async function expectSame(): Promise<void> {
  for (const projectId of ['p', 'q'])
    for (const graceDays of [0, 7]) {
      const order = { projectId, now, graceMs: graceDays * dayMs };
      const counted = await countDirectly(database, order);
      // Null: the sums are not complete.
      expect((await readSums(database, order)) ?? counted).toEqual(counted);
    }
}

const sumAll = async (): Promise<void> => {
  for (let hasMore = true; hasMore || (await hasToSum(database));) {
    hasMore = await sumNextPage(database);
    await sumChanges(database);
  }
};

test('whatever changes subscriptions, and whenever they are summed, the sums are what a count finds', async () => {
  const lives = fc.asyncProperty(fc.array(step, { minLength: 6, maxLength: 25 }), async (steps) => {
    for (const one of steps) {
      await run(one);
      await expectSame();
    }
    await sumAll();
    await expectSame();
    // Nothing is left of what is gone.
    await asOwner('DELETE FROM public.subscriptions; DELETE FROM public.object_owners');
    await sumAll();
    expect(await database.subscriptionSum.count()).toBe(0);
    expect(await database.summedSubscription.count()).toBe(0);
  });
  await fc.assert(lives, { numRuns: Number(process.env['SUMS_LIVES'] ?? 8) });
}, 120_000);

test('subscriptions that were there before the sums, with writers beside, are counted once', async () => {
  await emptySums(database);
  await asOwner(`INSERT INTO public.subscriptions (id, status, user_ref)
    SELECT 'old_' || lpad(n::text, 5, '0'), 'active', 1 + n % 6 FROM generate_series(1, 3000) n`);
  const done = new AbortController();
  const writers = [0, 1].map(async (writer) => {
    for (let n = 1; !done.signal.aborted; n += 1) {
      const id = `old_${String((n * 37 + writer * 1500) % 3000).padStart(5, '0')}`;
      await database.$executeRaw`UPDATE public.subscriptions SET status = 'canceled' WHERE id = ${id}`;
      await database.$executeRaw`
        INSERT INTO public.subscriptions (id, status, user_ref) VALUES (${`new_${writer}_${n}`}, 'trialing', 2)`;
      await readProjectMetrics(database, { projectId: 'p', now, pastDueGraceDays: 7 });
    }
  });
  // Two workers, of which one sums at a time.
  const workers = [0, 1].map(async () => {
    const isComplete = async () => (await readSums(database, { projectId: 'p', now, graceMs: 0 })) !== null;
    while (!(await isComplete())) {
      await sumNextPage(database, 100);
      await sumChanges(database, 10);
    }
  });
  await Promise.all(workers).finally(() => done.abort());
  await Promise.all(writers);
  await expectSame();
  await sumAll();
  await expectSame();
  expect(await verifySums(database, now)).toEqual({ projects: 2, differing: [], isComplete: true });
}, 60_000);

test('a difference is found, and mended by making the sums anew', async () => {
  await asOwner(
    `UPDATE public.subscription_sums SET subscriptions = subscriptions + 1 WHERE project_id = 'p'`,
  );
  const { differing } = await verifySums(database, now);
  expect(differing.map(({ projectId }) => projectId)).toEqual(['p']);
  await emptySums(database);
  expect(await verifySums(database, now)).toMatchObject({ isComplete: false });
  await sumAll();
  expect(await verifySums(database, now)).toMatchObject({ differing: [], isComplete: true });
});

test('a writer that may not see the sums is counted, and a table that is emptied as a whole', async () => {
  await asOwner(`INSERT INTO public.subscriptions (id, status, user_ref) VALUES ('sub_1', 'active', 2)`);
  await sumAll();
  await asOwner('TRUNCATE public.subscriptions CASCADE');
  await sumAll();
  await expectSame();
  expect(await database.subscriptionSum.count()).toBe(0);
});
