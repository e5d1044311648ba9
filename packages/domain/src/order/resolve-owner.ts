import type { Claims } from '../stripe/claims.ts';

/** A user. `ref`: the row's id; null: not stored yet. */
export type Owner = { ref: number | null; projectId: string; userId: string; version: number };

export type CatalogPrice = {
  projectId: string;
  priceId: string;
  stripePriceId: string;
  /** Absent: not known. */
  isRecurring?: boolean;
  /** In the currency's smallest unit. Absent or null: not known. */
  amount?: number | null;
  currency?: string | null;
};

/** What is stored of users and prices when an event is decided. */
export type Catalog = {
  /** Our own mapping of Stripe customers to users. */
  mappings: ReadonlyMap<string, Owner>;
  users: readonly Owner[];
  projects: ReadonlySet<string>;
  prices: readonly CatalogPrice[];
};

export type QuarantineReason = 'unknown_customer' | 'unknown_project' | 'unknown_price';

/** `isContested`: the object's claims name another user or project than our mapping, which wins. */
export type Ownership =
  | { kind: 'owned'; owner: Owner; isContested: boolean }
  | { kind: 'unknown'; reason: QuarantineReason; awaits: string | null };

/** The fields of an object that its owner is found by. */
export type Ownable = {
  customerId: string | null;
  claims: Claims;
  items: readonly { stripePriceId: string }[];
};

function contradicts(claims: Claims, owner: Owner): boolean {
  const otherUser = claims.userId !== null && claims.userId !== owner.userId;
  return otherUser || (claims.projectId !== null && claims.projectId !== owner.projectId);
}

/** The project of the first price that the catalog has. */
function projectOfPrices(items: Ownable['items'], prices: readonly CatalogPrice[]): string | null {
  for (const { stripePriceId } of items) {
    const known = prices.find((price) => price.stripePriceId === stripePriceId);
    if (known !== undefined) return known.projectId;
  }
  return null;
}

/**
 * Who owns an object: the user that our own mapping gives its Stripe customer, else the user that it claims, in
 * the project that it claims or that its price belongs to. Nothing else creates an owner, and no event creates
 * a mapping. Without an owner it is quarantined (invariant "unknown is not lost").
 */
export function resolveOwner({ customerId, claims, items }: Ownable, catalog: Catalog): Ownership {
  const mapped = customerId === null ? undefined : catalog.mappings.get(customerId);
  if (mapped !== undefined) return { kind: 'owned', owner: mapped, isContested: contradicts(claims, mapped) };
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

/** The first of the items' prices that is in no catalog: creating it releases the quarantine. */
export function unknownPrice(items: Ownable['items'], prices: readonly CatalogPrice[]): string | null {
  const known = new Set(prices.map((price) => price.stripePriceId));
  return items.find((item) => !known.has(item.stripePriceId))?.stripePriceId ?? null;
}

/** The Stripe price that metadata names by our id; an id that is not ours is taken for Stripe's. */
export function stripePriceNamed(
  priceId: string,
  projectId: string | null,
  prices: readonly CatalogPrice[],
): string {
  const ours = prices.find((price) => price.projectId === projectId && price.priceId === priceId);
  return ours?.stripePriceId ?? priceId;
}
