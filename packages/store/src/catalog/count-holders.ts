import type { Database } from '../create-database.ts';
import { Prisma } from '../generated/client.ts';

/**
 * Those who have something of a project: of one product or Stripe price, or (neither) anything at all; or all of its users,
 * where something is everybody's.
 */
export type Holders = {
  projectId: string;
  productId?: string | null;
  stripePriceId?: string;
  /** What the product is sold by besides its prices, as it shall be. */
  stripeProductId?: string | null;
  isEverybody?: boolean;
};

/** More are not told apart. */
export const mostCounted = 10_000;

/** The objects that have items of what is meant. Each way by its own index: with OR every item would be read. */
function holdingIn(
  table: 'subscription_items' | 'purchase_items',
  { projectId, productId = null, stripePriceId, stripeProductId = null }: Holders,
): Prisma.Sql {
  const items = Prisma.raw(`public.${table}`);
  const objectId = Prisma.raw(table === 'subscription_items' ? 'subscription_id' : 'purchase_id');
  if (stripePriceId !== undefined)
    return Prisma.sql`SELECT ${objectId} FROM ${items} WHERE stripe_price_id = ${stripePriceId}`;
  const isMeant = Prisma.sql`project_id = ${projectId} AND (${productId}::text IS NULL OR product_id = ${productId})`;
  return Prisma.sql`
    SELECT ${objectId} FROM ${items}
    WHERE stripe_price_id IN (SELECT stripe_price_id FROM public.prices WHERE ${isMeant})
    UNION ALL
    SELECT ${objectId} FROM ${items}
    WHERE stripe_product_id IN (
      SELECT stripe_product_id FROM public.products WHERE ${isMeant} UNION ALL SELECT ${stripeProductId}::text)`;
}

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
  const isWhole = (productId ?? stripePriceId) === undefined;
  const [row] = await database.$queryRaw<{ count: number }[]>`
    SELECT count(*)::int AS count FROM (
      SELECT DISTINCT u.id FROM (
        SELECT s.id, s.user_ref FROM public.subscriptions s
        WHERE s.id IN (${holdingIn('subscription_items', holders)})
          AND s.status NOT IN ('canceled', 'incomplete_expired')
        UNION ALL
        SELECT p.id, p.user_ref FROM public.purchases p WHERE p.id IN (${holdingIn('purchase_items', holders)})
      ) object
      LEFT JOIN public.object_owners o ON o.object_id = object.id AND o.project_id = ${projectId}
      JOIN public.users u ON u.id = coalesce(o.user_ref, object.user_ref) AND u.project_id = ${projectId}
      UNION
      SELECT g.user_ref FROM public.grants g JOIN public.users u ON u.id = g.user_ref
      WHERE ${isWhole} AND u.project_id = ${projectId} AND g.revoked_at IS NULL
      LIMIT ${mostCounted + 1}) holder`;
  return row?.count ?? 0;
}
