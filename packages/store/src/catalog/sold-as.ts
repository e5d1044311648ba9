import { Prisma } from '../generated/client.ts';

/**
 * Beside an item `i` of a subscription or purchase: `prices`, its mapped price, and `products`, as which it is sold: by that
 * price, else by its Stripe product. Both are of whatever project, and null where nothing is mapped.
 */
export const soldAs = Prisma.sql`
  LEFT JOIN public.prices ON prices.stripe_price_id = i.stripe_price_id
  LEFT JOIN LATERAL (
    SELECT mapped.* FROM public.products mapped
    WHERE mapped.project_id = prices.project_id AND mapped.product_id = prices.product_id
    UNION ALL
    SELECT mapped.* FROM public.products mapped
    WHERE prices.price_id IS NULL AND mapped.stripe_product_id = i.stripe_product_id
  ) products ON true`;
