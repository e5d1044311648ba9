import type { Claims } from '../stripe/claims.ts';

/** A user, as stored; `ref` null: not stored yet. */
export type Owner = { ref: number | null; projectId: string; userId: string; version: number };

export type CatalogPrice = {
  projectId: string;
  priceId: string;
  stripePriceId: string;
  /** Absent: not said. */
  isRecurring?: boolean;
};

/** What is known about people and prices when an event is decided. */
export type Catalog = {
  /** Who a Stripe customer is, by our own mapping. */
  mappings: ReadonlyMap<string, Owner>;
  users: readonly Owner[];
  projects: ReadonlySet<string>;
  prices: readonly CatalogPrice[];
};

export type QuarantineReason = 'unknown_customer' | 'unknown_project' | 'unknown_price';

export type Ownership =
  | { kind: 'owned'; owner: Owner; isContested: boolean }
  | { kind: 'unknown'; reason: QuarantineReason; awaits: string | null };

/** What an object says that bears on whose it is. */
export type Ownable = {
  customerId: string | null;
  claims: Claims;
  items: readonly { stripePriceId: string }[];
};

function contests(claims: Claims, owner: Owner): boolean {
  const otherUser = claims.userId !== null && claims.userId !== owner.userId;
  return otherUser || (claims.projectId !== null && claims.projectId !== owner.projectId);
}

/** The project of the first of its prices that the catalog knows. */
function projectOfPrices(items: Ownable['items'], prices: readonly CatalogPrice[]): string | null {
  for (const { stripePriceId } of items) {
    const known = prices.find((price) => price.stripePriceId === stripePriceId);
    if (known !== undefined) return known.projectId;
  }
  return null;
}

/**
 * Whose an object is: our own mapping of its Stripe customer, then what the object says, then the project
 * of its price. Nothing else creates an owner, and no event creates a mapping.
 */
export function resolveOwner({ customerId, claims, items }: Ownable, catalog: Catalog): Ownership {
  const mapped = customerId === null ? undefined : catalog.mappings.get(customerId);
  if (mapped !== undefined) return { kind: 'owned', owner: mapped, isContested: contests(claims, mapped) };
  const { userId } = claims;
  if (userId === null) return { kind: 'unknown', reason: 'unknown_customer', awaits: customerId };
  const projectId = claims.projectId ?? projectOfPrices(items, catalog.prices);
  const [first] = items;
  if (projectId === null)
    return first === undefined
      ? { kind: 'unknown', reason: 'unknown_project', awaits: customerId }
      : { kind: 'unknown', reason: 'unknown_price', awaits: first.stripePriceId };
  if (!catalog.projects.has(projectId))
    return { kind: 'unknown', reason: 'unknown_project', awaits: customerId ?? projectId };
  const known = catalog.users.find((user) => user.projectId === projectId && user.userId === userId);
  const owner = known ?? { ref: null, projectId, userId, version: 0 };
  return { kind: 'owned', owner, isContested: false };
}

/** The first of the items' prices that no catalog has: mapping it heals. */
export function unknownPrice(
  items: readonly { stripePriceId: string }[],
  prices: readonly CatalogPrice[],
): string | null {
  const known = new Set(prices.map((price) => price.stripePriceId));
  return items.find((item) => !known.has(item.stripePriceId))?.stripePriceId ?? null;
}

/** The Stripe price that metadata names by our id or by Stripe's; itself, where the catalog has neither. */
export function stripePriceNamed(
  priceId: string,
  projectId: string | null,
  prices: readonly CatalogPrice[],
): string {
  const ours = prices.find((price) => price.projectId === projectId && price.priceId === priceId);
  return ours?.stripePriceId ?? priceId;
}
