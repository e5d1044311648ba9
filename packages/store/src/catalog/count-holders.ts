import type { Database } from '../create-database.ts';
import { Prisma } from '../generated/client.ts';

/**
 * Those who have something of a project: of one product or Stripe price, or (neither) anything at all; or all of its users,
 * where something is everybody's.
 */
export type Holders = {
  projectId: string;
  productId?: string;
  stripePriceId?: string;
  isEverybody?: boolean;
};

/** More are not told apart. */
export const mostCounted = 10_000;

/** Which items `i` are meant. */
const isMeant = ({ projectId, productId, stripePriceId }: Holders): Prisma.Sql =>
  stripePriceId === undefined
    ? Prisma.sql`(i.stripe_price_id IN (SELECT stripe_price_id FROM public.prices
          WHERE project_id = ${projectId} AND (${productId ?? null}::text IS NULL OR product_id = ${productId ?? null}))
        OR i.stripe_product_id IN (SELECT stripe_product_id FROM public.products
          WHERE project_id = ${projectId} AND (${productId ?? null}::text IS NULL OR product_id = ${productId ?? null})))`
    : Prisma.sql`i.stripe_price_id = ${stripePriceId}`;

async function countUsers(database: Pick<Database, '$queryRaw'>, projectId: string): Promise<number> {
  const [row] = await database.$queryRaw<{ count: number }[]>`
    SELECT count(*)::int AS count FROM (
      SELECT FROM public.users WHERE project_id = ${projectId} LIMIT ${mostCounted + 1}) one`;
  return row?.count ?? 0;
}

/**
 * How many users of a project have a running subscription or a purchase of it, or (of the whole project) a grant;
 * counted up to `mostCounted` + 1.
 */
export async function countHolders(database: Pick<Database, '$queryRaw'>, holders: Holders): Promise<number> {
  const { projectId, productId, stripePriceId, isEverybody = false } = holders;
  if (isEverybody) return countUsers(database, projectId);
  const isWhole = productId === undefined && stripePriceId === undefined;
  const [row] = await database.$queryRaw<{ count: number }[]>`
    SELECT count(*)::int AS count FROM (
      SELECT DISTINCT u.id FROM (
        SELECT s.id, s.user_ref FROM public.subscription_items i JOIN public.subscriptions s ON s.id = i.subscription_id
        WHERE ${isMeant(holders)} AND s.status NOT IN ('canceled', 'incomplete_expired')
        UNION ALL
        SELECT p.id, p.user_ref FROM public.purchase_items i JOIN public.purchases p ON p.id = i.purchase_id
        WHERE ${isMeant(holders)}
      ) object
      LEFT JOIN public.object_owners o ON o.object_id = object.id AND o.project_id = ${projectId}
      JOIN public.users u ON u.id = coalesce(o.user_ref, object.user_ref) AND u.project_id = ${projectId}
      UNION
      SELECT g.user_ref FROM public.grants g JOIN public.users u ON u.id = g.user_ref
      WHERE ${isWhole} AND u.project_id = ${projectId} AND g.revoked_at IS NULL
      LIMIT ${mostCounted + 1}) holder`;
  return row?.count ?? 0;
}
