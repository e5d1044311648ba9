import type { UserKey } from '../change-user.ts';
import type { Database } from '../create-database.ts';
import { billedCustomer, customerGeneration } from '../customers/user-customer.ts';
import type { UserCustomer } from '../customers/user-customer.ts';
import { ownerSourceSql } from '../customers/owner-source.ts';
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
   * owner yet. One that is the user's only by a buyer's hint is none: anybody could keep the user from buying.
   */
  isSubscribed: boolean;
  /** There is one by a buyer's hint. */
  isHinted: boolean;
};

type SaleRow = SellablePrice & {
  userRef: string | null;
  stripeCustomerId: string | null;
  generation: string | null;
  isSubscribed: boolean;
  isHinted: boolean;
};

/** The row `u` of `users`, by the name that `ownerSourceSql` expects. */
const buyer = Prisma.sql`(SELECT u.id, u.user_id) users`;
const hintedSubscription = Prisma.sql`${ownerSourceSql('s')} = 'buyer_hint'`;

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
      coalesce(live."isSubscribed", false) AS "isSubscribed", coalesce(live."isHinted", false) AS "isHinted"
    FROM public.prices p
    JOIN public.products d ON d.project_id = p.project_id AND d.product_id = p.product_id
    JOIN public.projects j ON j.id = p.project_id
    LEFT JOIN public.users u ON u.project_id = p.project_id AND u.user_id = ${userId}
    CROSS JOIN LATERAL (
      SELECT bool_or(NOT k.is_hinted) AS "isSubscribed", bool_or(k.is_hinted) AS "isHinted" FROM (
        SELECT s.id, s.status, ${hintedSubscription} AS is_hinted FROM ${buyer} JOIN public.subscriptions s ON s.user_ref = users.id
        UNION ALL
        SELECT s.id, s.status, ${hintedSubscription} FROM ${buyer} JOIN public.object_owners o ON o.user_ref = users.id
        JOIN public.subscriptions s ON s.id = o.object_id
        UNION ALL
        SELECT s.id, s.status, false FROM public.customers c
        JOIN public.subscriptions s ON s.stripe_customer_id = c.stripe_customer_id AND s.user_ref IS NULL
        WHERE c.user_ref = u.id) k
      WHERE k.status NOT IN ('incomplete', 'incomplete_expired', 'canceled')
        AND EXISTS (SELECT FROM public.subscription_items i
          WHERE i.subscription_id = k.id AND i.stripe_price_id = p.stripe_price_id)) live
    WHERE p.project_id = ${projectId} AND (p.price_id = ${price} OR p.stripe_price_id = ${price})
    ORDER BY (p.price_id = ${price}) DESC LIMIT 1) sale`;
  const [row] = await readAgainIfConnectionLost(() => database.$queryJson<SaleRow[]>(statement));
  if (row === undefined) return null;
  const { userRef, stripeCustomerId, generation, isSubscribed, isHinted, ...sold } = row;
  const user =
    userRef === null || generation === null
      ? null
      : { userRef: BigInt(userRef), stripeCustomerId, generation };
  return { price: sold, user, isSubscribed, isHinted };
}
