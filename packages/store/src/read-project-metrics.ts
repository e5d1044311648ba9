import type { Database } from './create-database.ts';

export type ProjectMetrics = {
  active: number;
  trialing: number;
  total: number;
  /** Monthly recurring revenue of the active subscriptions, in the smallest unit of their currencies. */
  monthlyCents: number;
};

/**
 * A project's subscriptions in numbers, by one statement. A yearly price counts a twelfth; trials and all that
 * is not active count nothing.
 */
export async function readProjectMetrics(database: Database, projectId: string): Promise<ProjectMetrics> {
  const rows = await database.$queryRaw<ProjectMetrics[]>`
    WITH subscription AS (
      SELECT s.id, s.status FROM public.users u JOIN public.subscriptions s ON s.user_ref = u.id
      WHERE u.project_id = ${projectId} AND s.status IS NOT NULL
      UNION
      SELECT s.id, s.status FROM public.object_owners o JOIN public.subscriptions s ON s.id = o.object_id
      WHERE o.project_id = ${projectId} AND s.status IS NOT NULL
    ), revenue AS (
      SELECT sum(CASE p.interval WHEN 'month' THEN p.amount::numeric WHEN 'year' THEN p.amount::numeric / 12 ELSE 0 END
        * i.quantity) AS cents
      FROM subscription s
      JOIN public.subscription_items i ON i.subscription_id = s.id
      JOIN public.prices p ON p.stripe_price_id = i.stripe_price_id AND p.project_id = ${projectId}
      WHERE s.status = 'active'
    )
    SELECT
      (count(*) FILTER (WHERE status = 'active'))::float8 AS active,
      (count(*) FILTER (WHERE status = 'trialing'))::float8 AS trialing,
      count(*)::float8 AS total,
      round(coalesce((SELECT cents FROM revenue), 0))::float8 AS "monthlyCents"
    FROM subscription`;
  return rows[0] ?? { active: 0, trialing: 0, total: 0, monthlyCents: 0 };
}
