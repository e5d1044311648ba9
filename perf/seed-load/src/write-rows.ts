import type { Client } from 'pg';
import { stripePriceIdOf, type LoadPlan } from './plan.ts';

const chunkUsers = 50_000;

/** A number in [0, 1) that depends on the user's number and `salt` alone, so that each run makes the same data. */
const share = (salt: number): string => `((hashint8extended(n, ${salt}) & 1048575) / 1048576.0)`;

/** Users of the checkout range have no customer, as Stripe knows none of the seeded ones. */
const hasHistory = `n <= $7::bigint`;
const hasPurchase = `${hasHistory} AND ${share(5)} < $6::float8`;
/** One in five of the others without a live subscription has a canceled one. */
const hasLapsed = `n > $5::bigint AND ${hasHistory} AND ${share(2)} < 0.2`;

/**
 * Writes users, customers, subscriptions and purchases; what exists stays. Postgres generates the rows itself, so that
 * two million users take minutes.
 */
export async function writeRows(
  client: Client,
  plan: LoadPlan,
  onProgress: (users: number) => void,
): Promise<void> {
  for (let from = 1; from <= plan.users; from += chunkUsers) {
    const to = Math.min(plan.users, from + chunkUsers - 1);
    await client.query('BEGIN');
    for (const statement of statements)
      await client.query(statement.text, statement.values(plan, { from, to }));
    await client.query('COMMIT');
    onProgress(to);
  }
  await client.query(
    'ANALYZE users, customers, subscriptions, subscription_items, purchases, purchase_items',
  );
}

type Range = { from: number; to: number };
type Statement = { text: string; values: (plan: LoadPlan, range: Range) => unknown[] };

const base = (plan: LoadPlan, { from, to }: Range) => [from, to, plan.projectId, plan.userPrefix];
const spread = (plan: LoadPlan, range: Range) => [
  ...base(plan, range),
  plan.lastSubscribed,
  // The share is of all users, but only those with a history can have a purchase.
  Math.min(1, (plan.purchased * plan.users) / Math.max(1, plan.lastWithHistory)),
  plan.lastWithHistory,
];

/** `n` and the user's row. */
const numberedUsers = `generate_series($1::bigint, $2::bigint) AS n
  JOIN users AS u ON u.project_id = $3 AND u.user_id = $4::text || n`;

const users: Statement = {
  text: `INSERT INTO users (project_id, user_id, version)
    SELECT $3, $4::text || n, 1 FROM generate_series($1::bigint, $2::bigint) AS n
    ON CONFLICT (project_id, user_id) DO NOTHING`,
  values: base,
};

const customers: Statement = {
  text: `INSERT INTO customers (stripe_customer_id, user_ref, source)
    SELECT $8::text || n, u.id, 'import' FROM ${numberedUsers}
    WHERE n <= $5 OR (${hasLapsed}) OR (${hasPurchase})
    ON CONFLICT (stripe_customer_id) DO NOTHING`,
  values: (plan, range) => [...spread(plan, range), plan.customerPrefix],
};

/** How statuses are distributed over subscriptions. */
const status = `CASE WHEN n > $5 THEN 'canceled' WHEN ${share(1)} < 0.90 THEN 'active'
  WHEN ${share(1)} < 0.95 THEN 'trialing' WHEN ${share(1)} < 0.98 THEN 'past_due'
  WHEN ${share(1)} < 0.99 THEN 'unpaid' ELSE 'paused' END`;

const isYearly = `${share(4)} < 0.2`;
const periodDays = `(CASE WHEN ${isYearly} THEN 365 ELSE 30 END)`;

/**
 * Periods began at any time within their length, in whole seconds like Stripe's. Periods past due began at most 14
 * days ago, so that most are in grace.
 */
const periodStart = `date_trunc('second', now()) - make_interval(secs => floor(86400 * ${share(3)} * CASE
  WHEN n > $5 THEN 200 WHEN ${share(1)} >= 0.90 THEN 14 ELSE ${periodDays} END))`;

// `$6 >= 0` here, and `$5 >= 0` below, use parameters that Postgres could not type otherwise.
const subscriptions: Statement = {
  text: `INSERT INTO subscriptions (id, user_ref, stripe_customer_id, claimed_project_id, claimed_user_id, status,
      cancel_at_period_end, ended_at, canceled_at, trial_end, latest_invoice_created_at, snapshot_at,
      other_status_seen_at, past_due_seen_at, past_due_since, start_date)
    SELECT $8::text || n, user_ref, $9::text || n, $3, $4::text || n, status,
      status = 'active' AND ${share(6)} < 0.05,
      CASE WHEN status = 'canceled' THEN started END, CASE WHEN status = 'canceled' THEN started END,
      CASE WHEN status = 'trialing' THEN started + interval '14 days' END, started, started,
      CASE WHEN status <> 'past_due' THEN started END,
      CASE WHEN status = 'past_due' THEN ARRAY[started] ELSE '{}' END,
      CASE WHEN status = 'past_due' THEN started END, started - interval '120 days'
    FROM (SELECT n, u.id AS user_ref, ${status} AS status, ${periodStart} AS started
      FROM ${numberedUsers} WHERE $6::float8 >= 0 AND (n <= $5 OR (${hasLapsed}))) AS made
    ON CONFLICT (id) DO NOTHING`,
  values: (plan, range) => [...spread(plan, range), plan.subscriptionPrefix, plan.customerPrefix],
};

const itemBase = (plan: LoadPlan, { from, to }: Range) => [
  from,
  to,
  plan.subscriptionPrefix,
  plan.projectId,
  plan.itemPrefix,
];
const stripePricesOf = (plan: LoadPlan, priceIds: readonly string[]): string[] =>
  priceIds.map((priceId) => stripePriceIdOf(plan.tag, priceId));

/** Seven in ten have the basic plan, one in five pays by the year. */
const planPrice = `CASE WHEN ${share(7)} < 0.7 THEN CASE WHEN ${isYearly} THEN $7::text ELSE $6::text END
  ELSE CASE WHEN ${isYearly} THEN $9::text ELSE $8::text END END`;
const quantity = `CASE WHEN ${share(8)} < 0.15 THEN 2 + floor(${share(9)} * 19)::bigint ELSE 1 END`;

const items: Statement = {
  text: `INSERT INTO subscription_items (subscription_id, item_id, stripe_price_id, quantity,
      current_period_start, current_period_end)
    SELECT s.id, $5::text || n || '_1', ${planPrice}, ${quantity}, s.snapshot_at,
      coalesce(s.trial_end, s.snapshot_at + make_interval(days => ${periodDays}))
    FROM generate_series($1::bigint, $2::bigint) AS n
    JOIN subscriptions AS s ON s.id = $3::text || n AND s.claimed_project_id = $4
    ON CONFLICT (subscription_id, item_id) DO NOTHING`,
  values: (plan, range) => [
    ...itemBase(plan, range),
    ...stripePricesOf(plan, ['basic-month', 'basic-year', 'pro-month', 'pro-year']),
  ],
};

/** One in ten has a second item of the same interval. */
const addOns: Statement = {
  text: `INSERT INTO subscription_items (subscription_id, item_id, stripe_price_id, quantity,
      current_period_start, current_period_end)
    SELECT s.id, $5::text || n || '_2', CASE WHEN ${isYearly} THEN $7::text ELSE $6::text END, 1 + floor(${share(10)} * 5)::bigint,
      s.snapshot_at, coalesce(s.trial_end, s.snapshot_at + make_interval(days => ${periodDays}))
    FROM generate_series($1::bigint, $2::bigint) AS n
    JOIN subscriptions AS s ON s.id = $3::text || n AND s.claimed_project_id = $4
    WHERE ${share(11)} < 0.1
    ON CONFLICT (subscription_id, item_id) DO NOTHING`,
  values: (plan, range) => [...itemBase(plan, range), ...stripePricesOf(plan, ['seats-month', 'seats-year'])],
};

const purchases: Statement = {
  text: `INSERT INTO purchases (id, user_ref, stripe_customer_id, claimed_project_id, claimed_user_id, status,
      amount, amount_refunded, currency, paid_at)
    SELECT $8::text || n, user_ref, $9::text || n, $3, $4::text || n, status, 4900,
      CASE WHEN status = 'paid' AND ${share(14)} < 0.03 THEN 4900 ELSE 0 END, 'usd',
      CASE WHEN status = 'paid' THEN bought END
    FROM (SELECT n, u.id AS user_ref,
        CASE WHEN ${share(12)} < 0.95 THEN 'paid' WHEN ${share(12)} < 0.98 THEN 'pending' ELSE 'failed' END AS status,
        date_trunc('second', now()) - make_interval(secs => floor(86400 * 400 * ${share(13)})) AS bought
      FROM ${numberedUsers} WHERE $5::bigint >= 0 AND ${hasPurchase}) AS made
    ON CONFLICT (id) DO NOTHING`,
  values: (plan, range) => [...spread(plan, range), plan.purchasePrefix, plan.customerPrefix],
};

const purchaseItems: Statement = {
  text: `INSERT INTO purchase_items (purchase_id, stripe_price_id, quantity)
    SELECT p.id, CASE WHEN ${share(15)} < 0.6 THEN $5::text ELSE $6::text END, 1
    FROM generate_series($1::bigint, $2::bigint) AS n
    JOIN purchases AS p ON p.id = $3::text || n AND p.claimed_project_id = $4
    ON CONFLICT (purchase_id, stripe_price_id) DO NOTHING`,
  values: (plan, { from, to }) => [
    from,
    to,
    plan.purchasePrefix,
    plan.projectId,
    ...stripePricesOf(plan, ['export-pack', 'year-pass']),
  ],
};

const statements: readonly Statement[] = [
  users,
  customers,
  subscriptions,
  items,
  addOns,
  purchases,
  purchaseItems,
];
