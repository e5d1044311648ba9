import type { Client } from 'pg';

const usersAtOnce = 500_000;

const catalog = `
  INSERT INTO public.projects (id, name) VALUES ('growth', 'growth') ON CONFLICT DO NOTHING;
  INSERT INTO public.products (project_id, product_id, name, feature_codes) VALUES ('growth', 'pro', 'pro', '{a}')
    ON CONFLICT DO NOTHING;
  INSERT INTO public.prices (project_id, price_id, product_id, stripe_price_id, amount, currency, interval)
    SELECT 'growth', 'price_' || n, 'pro', 'price_' || n, 900 + n * 100, CASE WHEN n % 5 = 0 THEN 'eur' ELSE 'usd' END,
      CASE WHEN n % 3 = 0 THEN 'year' ELSE 'month' END
    FROM generate_series(0, 19) n ON CONFLICT DO NOTHING`;

const numbers = 'generate_series($1::bigint, $2::bigint) n';

/** Of a hundred: 82 active, 6 trialing, 5 past due, each since another moment, 7 ended; 3 with a coupon for some months. */
const inserts = [
  `INSERT INTO public.users (id, project_id, user_id, version) SELECT n + 1, 'growth', 'user_' || n, 1 FROM ${numbers}`,
  `INSERT INTO public.customers (stripe_customer_id, user_ref, source) SELECT 'cus_' || n, n + 1, 'import' FROM ${numbers}`,
  `INSERT INTO public.subscriptions (id, user_ref, stripe_customer_id, claimed_project_id, claimed_user_id,
      claimed_user_source, status, snapshot_at, past_due_since, discounts, latest_invoice_id)
    SELECT 'sub_' || n, n + 1, 'cus_' || n, 'growth', 'user_' || n, 'metadata',
      CASE WHEN n % 100 < 82 THEN 'active' WHEN n % 100 < 88 THEN 'trialing' WHEN n % 100 < 93 THEN 'past_due' ELSE 'canceled' END,
      now() - interval '1 hour',
      CASE WHEN n % 100 BETWEEN 88 AND 92 THEN now() - make_interval(secs => n % 2000000) END,
      CASE WHEN n % 100 < 3 THEN jsonb_build_array(jsonb_build_object('discountId', 'di_' || n, 'itemId', NULL,
        'end', 1893456000000 + n, 'coupon', jsonb_build_object('percentOff', '20', 'amountOff', NULL, 'currency', NULL,
          'duration', 'repeating'))) ELSE '[]' END,
      'in_' || n
    FROM ${numbers}`,
  `INSERT INTO public.subscription_items (subscription_id, item_id, stripe_price_id, quantity, current_period_start,
      current_period_end, unit_amount, currency, interval, interval_count, usage_type)
    SELECT 'sub_' || n, 'si_' || n, stripe_price_id, 1 + n % 7, now() - interval '10 days', now() + interval '20 days',
      amount::text, currency, interval, 1, 'licensed'
    FROM ${numbers} JOIN public.prices ON stripe_price_id = 'price_' || n % 20`,
];

/**
 * Users `from` to `to`, each with a customer and a subscription. Neither triggers nor foreign keys run: the subscriptions are there
 * as they are after an upgrade, not summed yet.
 */
export async function fillUsers(client: Client, { from, to }: { from: number; to: number }): Promise<void> {
  await client.query('SET session_replication_role = replica');
  await client.query(catalog);
  for (let first = from; first < to; first += usersAtOnce)
    for (const insert of inserts) await client.query(insert, [first, Math.min(to, first + usersAtOnce) - 1]);
  await client.query(`SELECT setval('public.users_id_seq', $1)`, [to + 1]);
  await client.query(`UPDATE public.subscription_sums_state SET completed_at = NULL, summed_to = ''`);
  await client.query('RESET session_replication_role');
  await client.query('VACUUM (ANALYZE)');
  await client.query('CHECKPOINT');
}
