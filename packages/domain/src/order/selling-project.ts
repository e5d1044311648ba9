import type { Catalog } from './resolve-owner.ts';

/** What an item is, as far as a catalog can have it. */
export type SoldItem = { stripePriceId: string; stripeProductId?: string | null };

/**
 * The project that sells an item: by its mapped price, else by the Stripe product of the price, which may be a product's as a
 * whole. Null: no catalog has it.
 */
export function sellingProject(
  { stripePriceId, stripeProductId = null }: SoldItem,
  { prices, stripeProducts = [] }: Pick<Catalog, 'prices' | 'stripeProducts'>,
): string | null {
  const price = prices.find((one) => one.stripePriceId === stripePriceId);
  if (price !== undefined) return price.projectId;
  if (stripeProductId === null) return null;
  return stripeProducts.find((one) => one.stripeProductId === stripeProductId)?.projectId ?? null;
}
