import type { PriceInterval, UsageType } from '@billing/domain';
import type { Database } from '../create-database.ts';
import { Prisma } from '../generated/client.ts';
import { readAgainIfConnectionLost } from '../read-again.ts';
import { soldAs } from './sold-as.ts';

/** A price of the catalog that a change of plan names. */
export type NamedPlan = {
  /** As it was named: our id, or Stripe's. */
  named: string;
  priceId: string;
  stripePriceId: string;
  /** A decimal in the currency's smallest unit; null: Stripe has no fixed one. */
  unitAmount: string | null;
  interval: PriceInterval;
  intervalCount: number;
  usageType: UsageType | null;
  isArchived: boolean;
  group: string | null;
  rank: number | null;
};

/** As which product of which project an item of a subscription is sold. */
export type SoldItem = {
  stripePriceId: string;
  projectId: string;
  productId: string;
  group: string | null;
  rank: number | null;
};

/** An item as Stripe has it. */
export type ItemOfStripe = { stripePriceId: string; stripeProductId: string | null };

type PlansQuery = { projectId: string; prices: readonly string[]; items: readonly ItemOfStripe[] };

/**
 * What the catalog says of the prices that a change names and of the items that are there, in one statement. What is
 * not named in the answer is no price of the project, or sold by nobody.
 */
export async function readPlans(
  database: Pick<Database, '$queryJson'>,
  { projectId, prices, items }: PlansQuery,
): Promise<{ named: NamedPlan[]; sold: SoldItem[] }> {
  const known = JSON.stringify(
    items.map((item) => ({ stripe_price_id: item.stripePriceId, stripe_product_id: item.stripeProductId })),
  );
  const statement = Prisma.sql`SELECT json_build_object(
    'named', (SELECT coalesce(json_agg(found), '[]') FROM (
      SELECT n.named, p.price_id AS "priceId", p.stripe_price_id AS "stripePriceId",
        p.amount::text AS "unitAmount", p.interval, p.interval_count AS "intervalCount",
        p.usage_type AS "usageType", p.is_archived OR d.is_archived AS "isArchived", d.plan_group AS "group", d.rank
      FROM (SELECT DISTINCT named FROM jsonb_array_elements_text(${JSON.stringify(prices)}::jsonb) named) n
      CROSS JOIN LATERAL (SELECT * FROM public.prices o
        WHERE o.project_id = ${projectId} AND (o.price_id = n.named OR o.stripe_price_id = n.named)
        ORDER BY (o.price_id = n.named) DESC LIMIT 1) p
      JOIN public.products d ON d.project_id = p.project_id AND d.product_id = p.product_id) found),
    'sold', (SELECT coalesce(json_agg(found), '[]') FROM (
      SELECT i.stripe_price_id AS "stripePriceId", products.project_id AS "projectId",
        products.product_id AS "productId", products.plan_group AS "group", products.rank
      FROM jsonb_to_recordset(${known}::jsonb) i(stripe_price_id text, stripe_product_id text)
      ${soldAs}
      WHERE products.product_id IS NOT NULL) found))`;
  return readAgainIfConnectionLost(() => database.$queryJson(statement));
}
