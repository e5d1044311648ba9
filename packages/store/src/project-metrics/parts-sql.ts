import { Prisma } from '../generated/client.ts';

/** The terms of the discounts of one item, or (null) of the whole subscription; `nth`: where its end is in `discount_ends`. */
const couponsOf = (itemId: Prisma.Sql): Prisma.Sql => Prisma.sql`
  coalesce((
    SELECT jsonb_agg((one -> 'coupon') || jsonb_build_object('nth', nth - 1) ORDER BY nth)
    FROM jsonb_array_elements(s.discounts) WITH ORDINALITY AS listed(one, nth)
    WHERE one ->> 'itemId' IS NOT DISTINCT FROM ${itemId} AND jsonb_typeof(one -> 'coupon') = 'object'), '[]')`;

const isDiscounted = Prisma.sql`coalesce(jsonb_array_length(s.discounts) > 0, false)`;
const isOverdueSinceItems = Prisma.sql`(s.status = 'past_due' AND s.past_due_since IS NULL)`;
const quantity = Prisma.sql`coalesce(i.billed_quantity, i.quantity)`;

/** The Stripe product of a price that is not mapped: it may be sold by that. */
const unmappedProduct = Prisma.sql`
  CASE WHEN i.stripe_product_id IS NOT NULL
      AND NOT EXISTS (SELECT FROM public.prices p WHERE p.stripe_price_id = i.stripe_price_id OFFSET 0)
    THEN jsonb_build_object('product', i.stripe_product_id) ELSE '{}' END`;

/**
 * What items cost and, where a discount depends on it, how many they are. The catalog's prices are looked up when the
 * sums are read, as is all that depends on the time.
 */
const terms = Prisma.sql`
  jsonb_build_object(
    'items', jsonb_agg(jsonb_build_object(
      'price', i.stripe_price_id, 'unitAmount', i.unit_amount, 'currency', i.currency, 'interval', i.interval,
      'intervalCount', i.interval_count, 'usageType', i.usage_type,
      'quantity', CASE WHEN ${isDiscounted} THEN ${quantity}::text END,
      'pastDueSince', CASE WHEN ${isOverdueSinceItems} THEN (date_part('epoch', i.current_period_start) * 1000)::bigint END,
      'coupons', CASE WHEN ${isDiscounted} THEN ${couponsOf(Prisma.sql`i.item_id`)} ELSE '[]' END) || ${unmappedProduct}
      ORDER BY CASE WHEN NOT ${isDiscounted} THEN i.stripe_price_id END, i.item_id),
    'coupons', CASE WHEN ${isDiscounted} THEN ${couponsOf(Prisma.sql`NULL`)} ELSE '[]' END,
    'isPastDueByItem', ${isOverdueSinceItems})`;

/**
 * What each of these subscriptions adds to the sums of each of its projects. `ids`: an array; it is looked up by the
 * index whatever the planner thinks of its length.
 */
export const partsOf = (ids: Prisma.Sql): Prisma.Sql => Prisma.sql`
  SELECT s.id AS subscription_id, owner.project_id, s.status,
    CASE WHEN s.status = 'past_due' THEN s.past_due_since END AS past_due_since,
    paid.terms, md5(paid.terms::text)::uuid AS terms_key,
    CASE WHEN paid.terms IS NOT NULL AND ${isDiscounted} THEN ARRAY(
      SELECT (one ->> 'end')::float8::bigint FROM jsonb_array_elements(s.discounts) WITH ORDINALITY AS listed(one, nth)
      ORDER BY nth) ELSE '{}' END AS discount_ends,
    coalesce(paid.quantities, '{}') AS quantities
  FROM public.subscriptions s
  CROSS JOIN LATERAL (
    SELECT project_id FROM public.users WHERE id = s.user_ref
    UNION
    SELECT project_id FROM public.object_owners WHERE object_id = s.id) owner
  LEFT JOIN LATERAL (
    SELECT ${terms} AS terms,
      CASE WHEN NOT ${isDiscounted} THEN array_agg(${quantity} ORDER BY i.stripe_price_id, i.item_id) END AS quantities
    FROM public.subscription_items i WHERE i.subscription_id = s.id
    HAVING count(*) > 0
  ) paid ON s.status IN ('active', 'past_due')
    AND NOT (s.collection_paused AND s.pause_behavior IS NOT DISTINCT FROM 'void')
  WHERE s.id = ANY(${ids}) AND s.status IS NOT NULL`;
