import { dayMs, policyOverrides, resolvePolicy, summedRevenue } from '@billing/domain';
import type { CatalogTerms, Instant, SummedGroup } from '@billing/domain';
import { getProject } from '../catalog/projects.ts';
import type { Database } from '../create-database.ts';
import { Prisma } from '../generated/client.ts';
import { countDirectly } from './count-directly.ts';
import type { MetricsOrder, ProjectMetrics } from './count-directly.ts';
import { partsOf } from './parts-sql.ts';

type SumsRow = {
  isComplete: boolean;
  active: number;
  trialing: number;
  total: number;
  statuses: Readonly<Record<string, number>>;
  groups: SummedGroup[];
  prices: CatalogTerms[];
  stripeProducts: string[];
};

/**
 * The sums, less what they have of subscriptions that changed since, and what those are now: one statement, so one
 * snapshot, in which each subscription counts once. Sums that pay alike at this moment become one row, in one pass: each moment
 * at which a payment was late has a sum of its own.
 */
const statementFor = ({ projectId, now, graceMs }: MetricsOrder): Prisma.Sql => Prisma.sql`
  WITH changed AS MATERIALIZED (SELECT DISTINCT subscription_id FROM public.subscription_changes),
  fresh AS MATERIALIZED (
    SELECT * FROM (${partsOf(Prisma.sql`ARRAY(SELECT subscription_id FROM changed)`)}) part
    WHERE project_id = ${projectId}),
  counted AS NOT MATERIALIZED (
    SELECT status, past_due_since, terms_key, discount_ends, subscriptions, quantities
    FROM public.subscription_sums WHERE project_id = ${projectId}
    UNION ALL
    SELECT alike.status, alike.past_due_since, alike.terms_key, alike.discount_ends, -1,
      ARRAY(SELECT -q FROM unnest(one.quantities) WITH ORDINALITY AS listed(q, nth) ORDER BY nth)
    FROM public.summed_subscriptions one
    JOIN public.subscription_sums alike USING (project_id, sum_key)
    WHERE one.subscription_id = ANY(ARRAY(SELECT subscription_id FROM changed)) AND one.project_id = ${projectId}
    UNION ALL
    SELECT status, past_due_since, terms_key, discount_ends, 1, quantities FROM fresh),
  valued AS NOT MATERIALIZED (
    SELECT status, subscriptions, quantities,
      CASE WHEN past_due_since IS NULL OR past_due_since > to_timestamp(${now - graceMs}::float8 / 1000)
        THEN terms_key END AS terms_key,
      CASE WHEN discount_ends = '{}' THEN '{}' ELSE ARRAY(
        SELECT coalesce(ends_at <= ${now}::bigint, false)
        FROM unnest(discount_ends) WITH ORDINALITY AS listed(ends_at, nth) ORDER BY nth) END AS ended
    FROM counted),
  grouped AS MATERIALIZED (
    SELECT status, terms_key, ended, sum(subscriptions) AS subscriptions, sum(quantities[1]) AS quantity
    FROM valued GROUP BY 1, 2, 3),
  sums AS (
    SELECT terms_key, ended, sum(subscriptions) AS subscriptions, sum(quantity) AS quantity
    FROM grouped WHERE terms_key IS NOT NULL GROUP BY 1, 2),
  -- Most subscriptions have one item.
  further AS (
    SELECT terms_key, ended, array_agg(quantity::text ORDER BY nth) AS quantities
    FROM (SELECT terms_key, ended, nth, sum(q) AS quantity
      FROM valued, unnest(quantities) WITH ORDINALITY AS listed(q, nth)
      WHERE cardinality(quantities) > 1 AND nth > 1 AND terms_key IS NOT NULL GROUP BY 1, 2, 3) each
    GROUP BY 1, 2)
  SELECT json_build_object(
    'isComplete', (SELECT completed_at IS NOT NULL FROM public.subscription_sums_state),
    'active', (SELECT coalesce(sum(subscriptions), 0) FROM grouped WHERE status = 'active'),
    'trialing', (SELECT coalesce(sum(subscriptions), 0) FROM grouped WHERE status = 'trialing'),
    'total', (SELECT coalesce(sum(subscriptions), 0) FROM grouped),
    'statuses', (SELECT coalesce(json_object_agg(status, alike), '{}')
      FROM (SELECT status, sum(subscriptions) AS alike FROM grouped GROUP BY status) each WHERE alike <> 0),
    'groups', (SELECT coalesce(json_agg(json_build_object('count', subscriptions, 'ended', ended,
        'quantities', CASE WHEN quantity IS NULL THEN '{}' ELSE quantity::text || coalesce(quantities, '{}') END,
        'terms', coalesce(
          (SELECT terms FROM public.subscription_terms WHERE subscription_terms.terms_key = sums.terms_key),
          (SELECT terms FROM fresh WHERE fresh.terms_key = sums.terms_key LIMIT 1)))), '[]')
      FROM sums LEFT JOIN further USING (terms_key, ended) WHERE subscriptions <> 0),
    'prices', (SELECT coalesce(json_agg(json_build_object('stripePriceId', stripe_price_id, 'amount', amount::text,
        'currency', currency, 'interval', interval, 'intervalCount', interval_count, 'usageType', usage_type)), '[]')
      FROM public.prices WHERE project_id = ${projectId}),
    'stripeProducts', (SELECT coalesce(json_agg(stripe_product_id), '[]')
      FROM public.products WHERE project_id = ${projectId} AND stripe_product_id IS NOT NULL))`;

/** From the sums; null: they are not complete yet. */
export async function readSums(
  database: Pick<Database, '$queryJson'>,
  order: MetricsOrder,
): Promise<ProjectMetrics | null> {
  const { isComplete, groups, prices, stripeProducts, ...counted } = await database.$queryJson<SumsRow>(
    statementFor(order),
  );
  if (!isComplete) return null;
  const { mrr, mainCurrency } = summedRevenue(groups, { ...order, prices, stripeProducts });
  return { ...counted, mrr, main: mrr.find(({ currency }) => currency === mainCurrency) ?? null };
}

export type MetricsRequest = {
  projectId: string;
  now: Instant;
  pastDueGraceDays: number;
  /** Where the subscriptions are read, default the same. */
  reader?: Database;
};

/**
 * A project's subscriptions in numbers. Revenue counts what is active, or past due within the grace that the project's
 * policy gives. Throws `project_not_found`.
 */
export async function readProjectMetrics(
  database: Database,
  { projectId, now, pastDueGraceDays, reader = database }: MetricsRequest,
): Promise<ProjectMetrics> {
  const { policy } = await getProject(database, projectId);
  const graceDays = resolvePolicy(policyOverrides.parse(policy), pastDueGraceDays).past_due_grace_days;
  const order = { projectId, now, graceMs: graceDays * dayMs };
  return (await readSums(reader, order)) ?? countDirectly(reader, order);
}
