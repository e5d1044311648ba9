/** What an item is, as far as a catalog can have it. */
export type SoldItem = { stripePriceId: string; stripeProductId?: string | null };

/** What is for sale, in whatever project. */
export type ForSale = {
  prices: readonly { projectId: string; stripePriceId: string }[];
  /** Stripe's products that are a product's as a whole. Absent: none. */
  stripeProducts?: readonly { projectId: string; stripeProductId: string }[];
};

/**
 * The project that sells an item: by its mapped price, else by the Stripe product of the price, which may be a product's as a
 * whole. Null: no catalog has it.
 */
export function sellingProject(
  { stripePriceId, stripeProductId = null }: SoldItem,
  { prices, stripeProducts = [] }: ForSale,
): string | null {
  const price = prices.find((one) => one.stripePriceId === stripePriceId);
  if (price !== undefined) return price.projectId;
  if (stripeProductId === null) return null;
  return stripeProducts.find((one) => one.stripeProductId === stripeProductId)?.projectId ?? null;
}
