export type BoughtItem = {
  stripePriceId: string;
  quantity: number;
  /** Of the price. Absent: not heard. */
  stripeProductId?: string;
};

/** An item of a price, with its Stripe product where that is known. */
export const boughtItem = (
  stripePriceId: string,
  quantity: number,
  stripeProductId: string | null | undefined,
): BoughtItem => ({
  stripePriceId,
  quantity,
  ...(stripeProductId === null || stripeProductId === undefined ? {} : { stripeProductId }),
});

/** The items with the Stripe products that others name: that of a price never changes. */
export const withKnownProducts = (items: BoughtItem[], others: readonly BoughtItem[]): BoughtItem[] =>
  items.map((item) => {
    if (item.stripeProductId !== undefined) return item;
    const named = others.find(
      (one) => one.stripePriceId === item.stripePriceId && one.stripeProductId !== undefined,
    );
    return named === undefined ? item : boughtItem(item.stripePriceId, item.quantity, named.stripeProductId);
  });

/** One entry for each price, in the order of their ids. */
export function addUp(items: readonly BoughtItem[]): BoughtItem[] {
  const quantities = new Map<string, number>();
  for (const { stripePriceId, quantity } of items)
    quantities.set(stripePriceId, (quantities.get(stripePriceId) ?? 0) + quantity);
  return [...quantities]
    .map(([stripePriceId, quantity]) => {
      const named = items.find((one) => one.stripePriceId === stripePriceId && one.stripeProductId);
      return boughtItem(stripePriceId, quantity, named?.stripeProductId);
    })
    .sort((a, b) => (a.stripePriceId < b.stripePriceId ? -1 : 1));
}
