import type { Client } from 'pg';

export const projectId = 'growth';
export const productId = 'pro';

const usersAtOnce = 200_000;

const catalog = `
  INSERT INTO public.projects (id, name) VALUES ('${projectId}', 'growth');
  INSERT INTO public.products (project_id, product_id, name, feature_codes) VALUES ('${projectId}', '${productId}', 'pro', '{a}');
  INSERT INTO public.prices (project_id, price_id, product_id, stripe_price_id, amount, currency, interval, verify_at)
    VALUES ('${projectId}', 'month', '${productId}', 'price_growth', 900, 'usd', 'month', NULL)`;

const numbers = 'generate_series($1::bigint, $2::bigint) n';

/** Each has a subscription that goes on, and a feature for a day. */
const inserts = [
  `INSERT INTO public.users (id, project_id, user_id, version) SELECT n, '${projectId}', 'user_' || n, 1 FROM ${numbers}`,
  `INSERT INTO public.subscriptions (id, user_ref, status, snapshot_at)
   SELECT 'sub_' || n, n, 'active', now() FROM ${numbers}`,
  `INSERT INTO public.subscription_items (subscription_id, item_id, stripe_price_id, quantity, current_period_start,
     current_period_end)
   SELECT 'sub_' || n, 'si_' || n, 'price_growth', 1, now() - interval '10 days', now() + interval '20 days' FROM ${numbers}`,
  `INSERT INTO public.grants (id, user_ref, feature_code, valid_from, valid_to, reason, granted_by)
   SELECT 'grant_' || n, n, 'ends', now() - interval '1 day', now() + interval '1 day', 'growth', 'growth' FROM ${numbers}`,
];

/** Users `user_1` to `user_<users>`. Neither triggers nor foreign keys run. */
export async function fillUsers(client: Client, users: number): Promise<void> {
  await client.query('SET session_replication_role = replica');
  await client.query(catalog);
  for (let from = 1; from <= users; from += usersAtOnce)
    for (const insert of inserts) await client.query(insert, [from, Math.min(users, from + usersAtOnce - 1)]);
  await client.query(`SELECT setval('public.users_id_seq', $1)`, [users + 1]);
  await client.query('RESET session_replication_role');
  // Only what was filled: of a table that was vacuumed while it was empty Postgres believes that it stays so.
  await client.query(
    'VACUUM (ANALYZE) public.users, public.subscriptions, public.subscription_items, public.grants',
  );
}

/** Lets what all users have for a day end within one minute, from `at` on, as if it had always been to end then. */
export async function endWithinMinute(client: Client, at: Date): Promise<void> {
  const ends = `$1::timestamptz + make_interval(secs => (hashint8(u.id) & 65535) / 65536.0 * 60)`;
  await client.query(
    `UPDATE public.grants g SET valid_to = ${ends} FROM public.users u WHERE u.id = g.user_ref AND g.id = 'grant_' || u.id`,
    [at],
  );
  await client.query(
    `UPDATE public.webhook_states s SET next_change_at = ${ends} FROM public.users u
     WHERE u.project_id = s.project_id AND u.user_id = s.user_id`,
    [at],
  );
  await client.query('VACUUM (ANALYZE) public.grants, public.webhook_states');
}
