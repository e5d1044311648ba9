import type { UserKey } from '../change-user.ts';
import type { Database } from '../create-database.ts';
import { billedCustomer, customerGeneration } from '../customers/user-customer.ts';
import type { UserCustomer } from '../customers/user-customer.ts';
import { Prisma } from '../generated/client.ts';
import { readAgainIfConnectionLost } from '../read-again.ts';

export type SellablePrice = {
  priceId: string;
  stripePriceId: string;
  interval: string;
  isArchived: boolean;
  /** Where its checkouts may lead back to. */
  redirectOrigins: string[];
};

export type Sale = {
  price: SellablePrice;
  /** Null: the user has no row yet. */
  user: UserCustomer | null;
  /**
   * The user has a subscription to this price that is not over, or one of the user's customers pays one that has no
   * owner yet.
   */
  isSubscribed: boolean;
};

type SaleRow = SellablePrice & {
  userRef: string | null;
  stripeCustomerId: string | null;
  generation: string | null;
  isSubscribed: boolean;
};

/**
 * All that is to be known before a sale, in one statement. The price is the project's, by our id or Stripe's; null: the
 * project has no such price.
 */
export async function readSale(
  database: Pick<Database, '$queryJson'>,
  { projectId, userId, price }: UserKey & { price: string },
): Promise<Sale | null> {
  const statement = Prisma.sql`SELECT coalesce(json_agg(sale), '[]') FROM (
    SELECT p.price_id AS "priceId", p.stripe_price_id AS "stripePriceId", p.interval,
      p.is_archived OR d.is_archived AS "isArchived", j.redirect_origins AS "redirectOrigins",
      u.id::text AS "userRef", ${billedCustomer} AS "stripeCustomerId", ${customerGeneration} AS generation,
      EXISTS (
        SELECT FROM (
          SELECT s.id, s.status FROM public.subscriptions s WHERE s.user_ref = u.id
          UNION ALL
          SELECT s.id, s.status FROM public.object_owners o JOIN public.subscriptions s ON s.id = o.object_id
          WHERE o.user_ref = u.id
          UNION ALL
          SELECT s.id, s.status FROM public.customers c
          JOIN public.subscriptions s ON s.stripe_customer_id = c.stripe_customer_id AND s.user_ref IS NULL
          WHERE c.user_ref = u.id) k
        WHERE k.status NOT IN ('incomplete', 'incomplete_expired', 'canceled')
          AND EXISTS (SELECT FROM public.subscription_items i
            WHERE i.subscription_id = k.id AND i.stripe_price_id = p.stripe_price_id)) AS "isSubscribed"
    FROM public.prices p
    JOIN public.products d ON d.project_id = p.project_id AND d.product_id = p.product_id
    JOIN public.projects j ON j.id = p.project_id
    LEFT JOIN public.users u ON u.project_id = p.project_id AND u.user_id = ${userId}
    WHERE p.project_id = ${projectId} AND (p.price_id = ${price} OR p.stripe_price_id = ${price})
    ORDER BY (p.price_id = ${price}) DESC LIMIT 1) sale`;
  const [row] = await readAgainIfConnectionLost(() => database.$queryJson<SaleRow[]>(statement));
  if (row === undefined) return null;
  const { userRef, stripeCustomerId, generation, isSubscribed, ...sold } = row;
  const user =
    userRef === null || generation === null
      ? null
      : { userRef: BigInt(userRef), stripeCustomerId, generation };
  return { price: sold, user, isSubscribed };
}
