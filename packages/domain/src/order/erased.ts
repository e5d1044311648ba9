import type { Claims } from '../stripe/claims.ts';
import type { Instant } from '../time.ts';
import { derivePurchase } from './merge-purchase.ts';
import { claimSources } from './purchase-row.ts';
import type { PurchaseRow } from './purchase-row.ts';
import { isErasedUser, projectsOf } from './resolve-owner.ts';
import type { Catalog, KnownOwners, Ownable } from './resolve-owner.ts';
import type { SubscriptionRow } from './subscription-row.ts';

/** What decides about an object's claims. */
export type ErasedContext = { catalog: Catalog; known?: KnownOwners | undefined };

/** A user as an event's payload names one; `projectId` null: without a project. */
export type NamedUser = { projectId: string | null; userId: string };

/**
 * Whether everybody whom a name can mean was erased. A name without a project means the user in each of `projects`, and where
 * none is known in every project.
 */
export function isErasedName(
  { projectId, userId }: NamedUser,
  {
    catalog,
    projects,
    createdAt,
  }: { catalog: Catalog; projects: readonly string[]; createdAt: Instant | null },
): boolean {
  const erasedIn = catalog.erased?.users.get(userId);
  if (erasedIn === undefined) return false;
  const known = projectId === null ? projects : [projectId];
  const meant = known.length > 0 ? known : [...erasedIn.keys()];
  return meant.every((project) => isErasedUser(catalog, { projectId: project, userId }, createdAt));
}

/** Whether the claims of an object name nobody but erased users. */
function areErased(claims: Claims, object: Ownable, { catalog, known }: ErasedContext): boolean {
  const { projectId, userId } = claims;
  if (userId === null || catalog.erased?.users.has(userId) !== true) return false;
  const projects = projectsOf(object, catalog, known).filter((one) => one !== null);
  return isErasedName({ projectId, userId }, { catalog, projects, createdAt: object.createdAt ?? null });
}

const withoutUser = (claims: Claims): Claims => ({ ...claims, userId: null, userSource: null });

/** The subscription without a claim of erased users. */
export function subscriptionWithoutErased(
  row: SubscriptionRow,
  object: Ownable,
  context: ErasedContext,
): SubscriptionRow {
  if (!areErased(row.claims, object, context)) return row;
  return { ...row, claims: withoutUser(row.claims), claimsAt: null };
}

/** The payment without a claim of erased users, in what each of its objects says of it too. */
export function purchaseWithoutErased(
  row: PurchaseRow,
  object: Ownable,
  context: ErasedContext,
): PurchaseRow {
  const said = { ...row.record.said };
  let isChanged = false;
  for (const source of claimSources) {
    const claim = said[source];
    if (claim === undefined || !areErased(claim.claims, object, context)) continue;
    said[source] = { ...claim, claims: withoutUser(claim.claims) };
    isChanged = true;
  }
  if (!isChanged && !areErased(row.claims, object, context)) return row;
  return derivePurchase({ ...row, claims: withoutUser(row.claims), record: { ...row.record, said } });
}
