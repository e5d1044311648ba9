import { monthlyRevenue } from '@billing/domain';
import type { Instant, Money, RevenueGroup, RevenueItem } from '@billing/domain';
import { soldAs } from '../catalog/sold-as.ts';
import type { Database } from '../create-database.ts';
import { Prisma } from '../generated/client.ts';

export type ProjectMetrics = {
  active: number;
  trialing: number;
  total: number;
  /** How many have each status. */
  statuses: Readonly<Record<string, number>>;
  /** Monthly recurring revenue by currency. */
  mrr: Money[];
  /** Of these, that of the currency that most subscriptions have; null: there is none. */
  main: Money | null;
};

type Counted = Pick<ProjectMetrics, 'active' | 'trialing' | 'total' | 'statuses'>;
type MetricsRow = Counted & {
  plain: Omit<RevenueItem, 'coupons'>[];
  discounted: RevenueGroup[];
  currencies: { currency: string; subscriptions: number }[];
};

/** What an item costs: as Stripe rendered it, else as the catalog has it. */
const itemFields = Prisma.sql`
  CASE WHEN i.currency IS NULL THEN prices.amount::text ELSE i.unit_amount END AS unit_amount,
  coalesce(i.currency, prices.currency) AS currency,
  CASE WHEN i.currency IS NULL THEN prices.interval ELSE i.interval END AS billed_every,
  CASE WHEN i.currency IS NULL THEN prices.interval_count ELSE i.interval_count END AS interval_count,
  CASE WHEN i.currency IS NULL THEN prices.usage_type ELSE i.usage_type END AS usage_type,
  coalesce(i.billed_quantity, i.quantity) AS quantity`;

/** The terms of the discounts of one item, or (null) of the whole subscription, without what tells two apart. */
const couponsOf = (itemId: Prisma.Sql, now: Instant): Prisma.Sql => Prisma.sql`
  coalesce((
    SELECT jsonb_agg((one -> 'coupon') || jsonb_build_object('hasEnded',
      coalesce((one ->> 'end')::float8 <= ${now}::float8, false)) ORDER BY position)
    FROM jsonb_array_elements(discounts) WITH ORDINALITY AS listed(one, position)
    WHERE one ->> 'itemId' IS NOT DISTINCT FROM ${itemId} AND jsonb_typeof(one -> 'coupon') = 'object'), '[]')`;

/**
 * One statement: what has no discount is summed by price, so that a million subscriptions to ten prices are ten rows;
 * the others are counted by what they have.
 */
const statementFor = (
  projectId: string,
  { now, graceMs }: { now: Instant; graceMs: number },
): Prisma.Sql => Prisma.sql`
  WITH owners AS (
    SELECT s.id FROM public.users u JOIN public.subscriptions s ON s.user_ref = u.id WHERE u.project_id = ${projectId}
    UNION
    SELECT o.object_id FROM public.object_owners o WHERE o.project_id = ${projectId}
  ), owned AS MATERIALIZED (
    SELECT s.id, s.status, s.collection_paused, s.pause_behavior, s.past_due_since,
      CASE WHEN jsonb_array_length(s.discounts) > 0 THEN s.discounts END AS discounts
    FROM owners JOIN public.subscriptions s USING (id) WHERE s.status IS NOT NULL
  ), paying AS MATERIALIZED (
    SELECT s.id, s.discounts, i.item_id, ${itemFields}
    FROM owned s
    JOIN public.subscription_items i ON i.subscription_id = s.id ${soldAs}
    WHERE products.project_id = ${projectId} AND (s.status = 'active' OR (s.status = 'past_due' AND
        coalesce(s.past_due_since, i.current_period_start, to_timestamp(${now}::float8 / 1000))
          > to_timestamp(${now - graceMs}::float8 / 1000)))
      AND NOT (s.collection_paused AND s.pause_behavior IS NOT DISTINCT FROM 'void')
  ), recurring AS MATERIALIZED (
    SELECT * FROM paying WHERE billed_every <> 'one_time'
  ), plain AS (
    SELECT unit_amount AS "unitAmount", currency, billed_every AS interval, interval_count AS "intervalCount",
      usage_type AS "usageType", sum(quantity)::text AS quantity
    FROM recurring WHERE discounts IS NULL GROUP BY 1, 2, 3, 4, 5
  ), discounted AS (
    SELECT json_agg(json_build_object('unitAmount', unit_amount, 'currency', currency, 'interval', billed_every,
        'intervalCount', interval_count, 'usageType', usage_type, 'quantity', quantity::text,
        'coupons', ${couponsOf(Prisma.sql`item_id`, now)}) ORDER BY item_id)::text AS items,
      ${couponsOf(Prisma.sql`NULL`, now)}::text AS coupons
    FROM recurring WHERE discounts IS NOT NULL GROUP BY id, discounts
    )
  SELECT json_build_object(
    'active', (SELECT count(*) FROM owned WHERE status = 'active'),
    'trialing', (SELECT count(*) FROM owned WHERE status = 'trialing'),
    'total', (SELECT count(*) FROM owned),
    'statuses', (SELECT coalesce(json_object_agg(status, alike), '{}')
      FROM (SELECT status, count(*) AS alike FROM owned GROUP BY status) each),
    'plain', (SELECT coalesce(json_agg(one), '[]') FROM plain one),
    'discounted', (SELECT coalesce(json_agg(json_build_object(
      'count', same, 'items', items::json, 'coupons', coupons::json)), '[]')
      FROM (SELECT items, coupons, count(*) AS same FROM discounted GROUP BY items, coupons) one),
    'currencies', (SELECT coalesce(json_agg(one), '[]') FROM (
      SELECT currency, count(*) AS subscriptions FROM (SELECT DISTINCT id, currency FROM recurring) each
      GROUP BY currency ORDER BY count(*) DESC, currency) one))`;

export type MetricsOrder = { projectId: string; now: Instant; graceMs: number };

/** From the subscriptions themselves, all of which it reads: what the sums must agree with. */
export async function countDirectly(
  database: Pick<Database, '$queryJson'>,
  { projectId, now, graceMs }: MetricsOrder,
): Promise<ProjectMetrics> {
  const row = await database.$queryJson<MetricsRow>(statementFor(projectId, { now, graceMs }));
  const { plain, discounted, currencies, ...counted } = row;
  const undiscounted = plain.map((item) => ({ count: 1, items: [{ ...item, coupons: [] }], coupons: [] }));
  const mrr = monthlyRevenue([...undiscounted, ...discounted]);
  const [most] = currencies;
  return { ...counted, mrr, main: mrr.find(({ currency }) => currency === most?.currency) ?? null };
}
