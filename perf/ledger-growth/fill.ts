import type { Client } from 'pg';

export type Fill = { rows: number; months: number; users: number; say: (line: string) => void };

const rowsAtOnce = 500_000;

/** As large as a subscription's projected event: 760 bytes. */
const payload = `jsonb_build_object('id', 'evt_' || md5(n::text), 'type', 'customer.subscription.updated', 'created', n,
  'data', jsonb_build_object('object', jsonb_build_object('id', 'sub_' || n % $4, 'customer', 'cus_' || n % $4,
    'status', 'active', 'metadata', jsonb_build_object('user_id', 'user_' || n % $4, 'project_id', 'growth'),
    'items', jsonb_build_object('data', jsonb_build_array(jsonb_build_object('id', 'si_' || n % $4, 'quantity', 1,
      'price', jsonb_build_object('id', 'price_growth', 'currency', 'usd', 'unit_amount', 4900, 'text', repeat(md5(n::text), 10))))))))`;

/** The oldest first, evenly over the months until now. */
const moment = `to_timestamp($5::float8 - ($3::float8 - n) * ($6::float8 / $3::float8))`;

const isApplied = `n % 50 <> 0`;

const columns = `event_id, type, object_id, customer_id, project_id, status, reason, created, received_at, processed_at`;
const values = `'evt_' || md5(n::text), 'customer.subscription.updated', 'sub_' || n % $4, 'cus_' || n % $4, 'growth',
  CASE WHEN ${isApplied} THEN 'applied' ELSE 'ignored' END, CASE WHEN ${isApplied} THEN NULL ELSE 'no_effect' END,
  ${moment}, ${moment}, ${moment}`;
const numbers = `generate_series($1::bigint, least($2::bigint, $3::bigint)) n`;

const inRow = [
  `INSERT INTO public.stripe_events (${columns}, payload) SELECT ${values}, ${payload} FROM ${numbers}`,
];
const inMonths = [
  `INSERT INTO public.stripe_events (${columns}) SELECT ${values} FROM ${numbers}`,
  `INSERT INTO public.stripe_event_payloads (event_id, received_at, payload)
   SELECT 'evt_' || md5(n::text), ${moment}, ${payload} FROM ${numbers}`,
];

async function seedObjects(client: Client, users: number): Promise<void> {
  const numbersOf = `generate_series(0, ${users - 1}) n`;
  await client.query(`
    INSERT INTO public.projects (id, name) VALUES ('growth', 'growth');
    INSERT INTO public.products (project_id, product_id, name, feature_codes) VALUES ('growth', 'pro', 'pro', '{a}');
    INSERT INTO public.prices (project_id, price_id, product_id, stripe_price_id, amount, currency, interval)
      VALUES ('growth', 'month', 'pro', 'price_growth', 4900, 'usd', 'month');
    INSERT INTO public.users (project_id, user_id, version) SELECT 'growth', 'user_' || n, 1 FROM ${numbersOf};
    INSERT INTO public.customers (stripe_customer_id, user_ref, source)
      SELECT 'cus_' || substr(user_id, 6), id, 'import' FROM public.users;
    INSERT INTO public.subscriptions (id, user_ref, stripe_customer_id, claimed_project_id, claimed_user_id,
        claimed_user_source, status, snapshot_at)
      SELECT 'sub_' || substr(user_id, 6), id, 'cus_' || substr(user_id, 6), 'growth', user_id, 'metadata', 'active',
        now() - interval '1 hour' FROM public.users;
    INSERT INTO public.subscription_items (subscription_id, item_id, stripe_price_id, quantity)
      SELECT 'sub_' || substr(user_id, 6), 'si_' || substr(user_id, 6), 'price_growth', 1 FROM public.users`);
}

/** Fills the ledger: its payloads in the tables of months, or in its own rows where there are none yet. */
export async function fillLedger(client: Client, { rows, months, users, say }: Fill): Promise<void> {
  await seedObjects(client, users);
  const { rows: found } = await client.query<{ has_months: boolean }>(
    `SELECT to_regclass('public.stripe_event_payloads') IS NOT NULL AS has_months`,
  );
  const hasMonths = found[0]?.has_months === true;
  if (hasMonths)
    await client.query(`SELECT public.make_stripe_event_payloads_partition((now() - make_interval(months => n))::date)
      FROM generate_series(0, ${months}) n`);
  const { rows: indexes } = await client.query<{ name: string; definition: string }>(`
    SELECT indexrelid::regclass::text AS name, pg_get_indexdef(indexrelid) AS definition FROM pg_index
    WHERE indrelid = 'public.stripe_events'::regclass AND NOT indisprimary`);
  // Built afterwards they cost a fraction.
  for (const { name } of indexes) await client.query(`DROP INDEX ${name}`);
  const endsAt = Date.now() / 1000;
  for (let from = 1; from <= rows; from += rowsAtOnce) {
    for (const statement of hasMonths ? inMonths : inRow)
      await client.query(statement, [from, from + rowsAtOnce - 1, rows, users, endsAt, months * 30 * 86_400]);
    say(`${Math.min(rows, from + rowsAtOnce - 1)} rows`);
  }
  for (const { definition } of indexes) await client.query(definition);
  await client.query('VACUUM (ANALYZE)');
  await client.query('CHECKPOINT');
}
