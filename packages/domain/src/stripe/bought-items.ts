export type BoughtItem = { stripePriceId: string; quantity: number };

/** One entry for each price, in the order of their ids. */
export function addUp(items: readonly BoughtItem[]): BoughtItem[] {
  const quantities = new Map<string, number>();
  for (const { stripePriceId, quantity } of items)
    quantities.set(stripePriceId, (quantities.get(stripePriceId) ?? 0) + quantity);
  return [...quantities]
    .map(([stripePriceId, quantity]) => ({ stripePriceId, quantity }))
    .sort((a, b) => (a.stripePriceId < b.stripePriceId ? -1 : 1));
}
