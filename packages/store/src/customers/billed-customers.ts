import type { UserKey } from '../change-user.ts';
import type { Database } from '../create-database.ts';
import { otherObjects, ownerSourceSql } from './owner-source.ts';

/**
 * The Stripe customers whose invoices are a user's: those that are mapped to the user, and those that hold what is the
 * user's by more than a buyer's hint; without those that Stripe deleted. The newest `limit`.
 */
export async function findBilledCustomers(
  database: Pick<Database, '$queryRaw'>,
  { projectId, userId, limit }: UserKey & { limit: number },
): Promise<string[]> {
  const rows = await database.$queryRaw<{ id: string }[]>`
    WITH asked AS MATERIALIZED (SELECT * FROM public.users WHERE project_id = ${projectId} AND user_id = ${userId}),
    billed AS (
      SELECT c.stripe_customer_id AS id, c.created_at FROM asked JOIN public.customers c ON c.user_ref = asked.id
      UNION ALL
      SELECT f.stripe_customer_id, f.created_at FROM asked JOIN public.customer_users f ON f.user_ref = asked.id
      UNION ALL
      SELECT s.stripe_customer_id, s.created_at
      FROM asked users JOIN public.subscriptions s ON s.user_ref = users.id OR s.id = ANY(${otherObjects})
      WHERE ${ownerSourceSql('s')} <> 'buyer_hint'
      UNION ALL
      SELECT p.stripe_customer_id, p.created_at
      FROM asked users JOIN public.purchases p ON p.user_ref = users.id OR p.id = ANY(${otherObjects})
      WHERE ${ownerSourceSql('p')} <> 'buyer_hint')
    SELECT id FROM billed
    WHERE id IS NOT NULL
      AND NOT EXISTS (SELECT FROM public.customers c WHERE c.stripe_customer_id = billed.id AND c.deleted_at IS NOT NULL)
    GROUP BY id ORDER BY max(created_at) DESC, id LIMIT ${limit}`;
  return rows.map(({ id }) => id);
}

/** Those of some subscriptions that are another user's of the project, although a customer of the user's pays them: by an assignment. */
export async function findOthersSubscriptions(
  database: Pick<Database, '$queryRaw'>,
  { projectId, userId, ids }: UserKey & { ids: readonly string[] },
): Promise<ReadonlySet<string>> {
  if (ids.length === 0) return new Set();
  const rows = await database.$queryRaw<{ id: string }[]>`
    SELECT s.id FROM public.subscriptions s
    LEFT JOIN public.object_owners o ON o.object_id = s.id AND o.project_id = ${projectId}
    JOIN public.users u ON u.id = coalesce(o.user_ref, s.user_ref) AND u.project_id = ${projectId}
    WHERE s.id = ANY(${[...ids]}::text[]) AND u.user_id <> ${userId}`;
  return new Set(rows.map(({ id }) => id));
}

/** Which of some prices and Stripe products the project sells, and which others do. A price of its own goes before its product. */
export type LineOwners = { own: ReadonlySet<string>; foreign: ReadonlySet<string> };

export async function findLineOwners(
  database: Pick<Database, '$queryRaw'>,
  { projectId, ids }: { projectId: string; ids: readonly string[] },
): Promise<LineOwners> {
  if (ids.length === 0) return { own: new Set(), foreign: new Set() };
  const rows = await database.$queryRaw<{ id: string; isOwn: boolean }[]>`
    SELECT stripe_price_id AS id, project_id = ${projectId} AS "isOwn"
    FROM public.prices WHERE stripe_price_id = ANY(${[...ids]}::text[])
    UNION ALL
    SELECT stripe_product_id, project_id = ${projectId}
    FROM public.products WHERE stripe_product_id = ANY(${[...ids]}::text[])`;
  const idsWhere = (isOwn: boolean) => new Set(rows.filter((row) => row.isOwn === isOwn).map(({ id }) => id));
  return { own: idsWhere(true), foreign: idsWhere(false) };
}
