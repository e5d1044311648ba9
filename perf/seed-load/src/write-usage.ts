import type { Client } from 'pg';
import { meteredFeature, type LoadPlan } from './plan.ts';

/** Events lie so many days back: less than they are kept. */
const spanDays = 84;
/** About so many events a transaction. */
const chunkEvents = 250_000;

/**
 * What one chunk of users used: the same number each (give or take one), evenly over the time, in months that begin on the day of
 * the subscription's start, as those of its buckets do (a month without that day: on its last). In UTC, in which Stripe counts.
 */
const makeEvents = `CREATE TEMP TABLE seeded_usage ON COMMIT DROP AS
  WITH takers AS MATERIALIZED (
    SELECT n, u.user_id, s.id AS source_id, s.start_date AT TIME ZONE 'UTC' AS began,
      $6::bigint / $8::bigint + (n <= $6::bigint % $8::bigint)::integer AS events,
      ((hashint8(n) & 1023) + 1) / 1025.0 AS shift,
      (SELECT max((p.features -> $7 ->> 'allowance')::bigint) FROM subscription_items i
        JOIN prices pr USING (stripe_price_id) JOIN products p ON p.project_id = pr.project_id AND p.product_id = pr.product_id
        WHERE i.subscription_id = s.id) AS allowance
    FROM generate_series($1::bigint, $2::bigint) AS n
      JOIN users u ON u.project_id = $3 AND u.user_id = $4::text || n
      JOIN subscriptions s ON s.id = $5::text || n AND s.user_ref = u.id
    WHERE NOT EXISTS (SELECT FROM usage_states st
      WHERE st.project_id = $3 AND st.user_id = u.user_id AND st.feature_code = $7)),
  periods AS MATERIALIZED (
    SELECT n, (began + make_interval(months => m)) AT TIME ZONE 'UTC' AS period_start,
      (began + make_interval(months => m + 1)) AT TIME ZONE 'UTC' AS period_end
    FROM takers, generate_series(0, ${spanDays}) AS m
    WHERE began + make_interval(months => m) <= now() AT TIME ZONE 'UTC'),
  events AS (
    SELECT n, k AS seq, date_trunc('milliseconds', now() - make_interval(secs => 86400.0 * ${spanDays}
        * (events - k + shift) / events)) AS at, 1 + (hashint8(n * 1000003 + k) & 3)::bigint AS quantity
    FROM takers, generate_series(1, events) AS k)
  SELECT user_id, seq, at, quantity, source_id, allowance, period_start, period_end
  FROM events JOIN takers USING (n) JOIN periods USING (n)
  WHERE at >= period_start AND at < period_end`;

const ms = (column: string): string => `(extract(epoch FROM ${column}) * 1000)::bigint`;
const bucket = `'source', 'subscription', 'sourceId', source_id, 'period', 'month', 'start', ${ms('period_start')}`;
/** Ids are unique in the project. */
const eventId = `'load-' || user_id || '-' || seq`;

const writeEvents = `INSERT INTO usage_events (project_id, user_id, feature_code, usage_seq, recorded_at, event_id, kind, mode,
    quantity, happened_at, parts, allowed, reason, body_digest)
  SELECT $1, user_id, $2, seq, at, ${eventId}, 'usage', 'enforce', quantity, at,
    jsonb_build_array(jsonb_build_object(${bucket}, 'quantity', quantity, 'overage', 0)),
    true, 'within_allowance', left(md5(${eventId}), 22)
  FROM seeded_usage`;

const writeIds = `INSERT INTO usage_event_ids (project_id, event_id, user_id, feature_code, usage_seq, recorded_at)
  SELECT $1, ${eventId}, user_id, $2, seq, at FROM seeded_usage ORDER BY 2`;

const writeSlots = `INSERT INTO usage_slots (project_id, user_id, feature_code, start, quantity, overage)
  SELECT $1, user_id, $2, date_bin('15 minutes', at, '2000-01-01T00:00:00Z'), sum(quantity), 0
  FROM seeded_usage GROUP BY 2, 4`;

/** What was used of each bucket, and which of them is the present one. */
const buckets = `SELECT user_id, period_end, 'subscription month ' || ${ms('period_start')} || ' ' || source_id AS key,
    jsonb_build_object(${bucket}, 'end', ${ms('period_end')}, 'allowance', allowance, 'rolled', '[]'::jsonb,
      'used', sum(quantity), 'overage', 0, 'held', 0, 'reached', '[]'::jsonb, 'isLimitReached', false) AS bucket
  FROM seeded_usage GROUP BY user_id, source_id, period_start, period_end, allowance`;

const writeEnded = `INSERT INTO usage_ended_buckets (project_id, user_id, feature_code, bucket_key, ended_at, bucket)
  SELECT $1, user_id, $2, key, period_end, bucket FROM (${buckets}) AS b WHERE period_end <= now()`;

const writeStates = `INSERT INTO usage_states (project_id, user_id, feature_code, usage_seq, buckets)
  SELECT $1, used.user_id, $2, used.seq, coalesce(b.live, '[]')
  FROM (SELECT user_id, max(seq) AS seq FROM seeded_usage GROUP BY user_id) AS used
    LEFT JOIN (SELECT user_id, jsonb_agg(bucket) AS live FROM (${buckets}) AS one
      WHERE period_end > now() GROUP BY user_id) AS b USING (user_id)`;

const makeWeeks = `SELECT make_usage_events_partition(((now() AT TIME ZONE 'UTC') - make_interval(weeks => week))::date)
  FROM generate_series(0, ${spanDays / 7}) AS week`;

/**
 * Writes events of usage with all that is folded from them: states, buckets, ids, the series. Postgres generates them itself. Users
 * who have used something are left alone.
 */
export async function writeUsage(
  client: Client,
  plan: LoadPlan,
  onProgress: (events: number) => void,
): Promise<void> {
  if (plan.usageEvents === 0 || plan.lastSubscribed === 0) return;
  await client.query(makeWeeks);
  const perUser = Math.max(1, plan.usageEvents / plan.lastSubscribed);
  const chunkUsers = Math.max(1, Math.floor(chunkEvents / perUser));
  let written = 0;
  for (let from = 1; from <= plan.lastSubscribed; from += chunkUsers) {
    const to = Math.min(plan.lastSubscribed, from + chunkUsers - 1);
    await client.query('BEGIN');
    const names = [plan.projectId, plan.userPrefix, plan.subscriptionPrefix];
    const made = await client.query(makeEvents, [
      from,
      to,
      ...names,
      plan.usageEvents,
      meteredFeature,
      plan.lastSubscribed,
    ]);
    for (const statement of [writeEvents, writeIds, writeSlots, writeEnded, writeStates])
      await client.query(statement, [plan.projectId, meteredFeature]);
    await client.query('COMMIT');
    written += made.rowCount ?? 0;
    onProgress(written);
  }
  await client.query('ANALYZE usage_events, usage_event_ids, usage_slots, usage_states, usage_ended_buckets');
}
