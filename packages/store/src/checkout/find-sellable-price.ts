import type { UserKey } from '../change-user.ts';
import type { Database } from '../create-database.ts';

export type SellablePrice = {
  priceId: string;
  stripePriceId: string;
  interval: string;
  isArchived: boolean;
  redirectOrigins: string[];
};

/** A price of the project, by our id or Stripe's, with the origins its checkouts may lead back to; null: the project has no such price. */
export async function findSellablePrice(
  database: Database,
  { projectId, price }: { projectId: string; price: string },
): Promise<SellablePrice | null> {
  const rows = await database.$queryRaw<SellablePrice[]>`
    SELECT p.price_id AS "priceId", p.stripe_price_id AS "stripePriceId", p.interval,
      p.is_archived OR d.is_archived AS "isArchived", j.redirect_origins AS "redirectOrigins"
    FROM prices p
    JOIN products d ON d.project_id = p.project_id AND d.product_id = p.product_id
    JOIN projects j ON j.id = p.project_id
    WHERE p.project_id = ${projectId} AND (p.price_id = ${price} OR p.stripe_price_id = ${price})
    ORDER BY (p.price_id = ${price}) DESC LIMIT 1`;
  return rows[0] ?? null;
}

/**
 * A subscription of the user to this price that is not over, also one that nobody was given yet but which
 * one of the user's customers pays. Null: there is none.
 */
export async function findLiveSubscription(
  database: Database,
  { projectId, userId, stripePriceId }: UserKey & { stripePriceId: string },
): Promise<string | null> {
  const rows = await database.$queryRaw<{ id: string }[]>`
    WITH owner AS (SELECT id FROM users WHERE project_id = ${projectId} AND user_id = ${userId}),
    candidate AS (
      SELECT s.id, s.status FROM owner o JOIN subscriptions s ON s.user_ref = o.id
      UNION ALL
      SELECT s.id, s.status FROM owner o JOIN customers c ON c.user_ref = o.id
      JOIN subscriptions s ON s.stripe_customer_id = c.stripe_customer_id AND s.user_ref IS NULL
    )
    SELECT k.id FROM candidate k
    WHERE k.status NOT IN ('incomplete', 'incomplete_expired', 'canceled')
      AND EXISTS (SELECT 1 FROM subscription_items i WHERE i.subscription_id = k.id AND i.stripe_price_id = ${stripePriceId})
    LIMIT 1`;
  return rows[0]?.id ?? null;
}
