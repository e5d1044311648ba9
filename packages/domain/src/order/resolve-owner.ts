import type { Claims } from '../stripe/claims.ts';
import type { Instant } from '../time.ts';
import { sellingProject } from './selling-project.ts';
import type { ForSale, SoldItem } from './selling-project.ts';

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

/** When users and objects of Stripe's were erased in a project. */
export type Erased = {
  /** By user id, then by project. */
  users: ReadonlyMap<string, ReadonlyMap<string, Instant>>;
  /** By Stripe's id of an object or a customer, then by project. */
  objects: ReadonlyMap<string, ReadonlyMap<string, Instant>>;
};

/** What is stored of users and prices when an event is decided. */
export type Catalog = {
  /** Those who were erased, of all that is named; absent: none. */
  erased?: Erased;
  /** Our own mapping of Stripe customers to users: one for each project, the first mapping first. */
  mappings: ReadonlyMap<string, readonly Owner[]>;
  users: readonly Owner[];
  projects: ReadonlySet<string>;
  /** Those whose policy accepts no buyer's hint. */
  hintQuarantines: ReadonlySet<string>;
  prices: readonly CatalogPrice[];
} & Pick<ForSale, 'stripeProducts'>;

/** Where an owner comes from; each beats those after it. An operator's assignment of the object is the strongest. */
export const ownerSources = ['assignment', 'mapping', 'metadata', 'buyer_hint'] as const;
export type OwnerSource = (typeof ownerSources)[number];

export type Owned = { owner: Owner; source: OwnerSource };

/** The owners that are stored with an object. */
export type KnownOwners = {
  /** The user of the object's row. */
  first: Owner | null;
  /** Assignments, and the owners in further projects. */
  others: readonly Owned[];
};

export const noOwners: KnownOwners = { first: null, others: [] };

export const quarantineReasons = [
  'unknown_customer',
  'unknown_project',
  'unknown_price',
  'price_of_other_project',
  'buyer_hint',
] as const;
export type QuarantineReason = (typeof quarantineReasons)[number];

/** What an object waits for. `awaits`: the customer, price or project whose mapping ends it, else the object itself. */
export type Waits = { reason: QuarantineReason; awaits: string };

export type Ownership = {
  /** One for each project that has items in the object, in the order of the items. */
  owners: readonly Owned[];
  /** The projects whose part of it belongs to an erased user: it gets no owner there, and waits for none. */
  erased: 'none' | 'some' | 'all';
  /** Null: every item has an owner, whose source the project accepts, and a known price. */
  waits: Waits | null;
  /** The object's claims name another user or project than our mapping or an assignment, which wins. */
  isContested: boolean;
};

/** The fields of an object that its owners are found by. */
export type Ownable = {
  id: string;
  customerId: string | null;
  claims: Claims;
  items: readonly SoldItem[];
  /** When Stripe created it; null or absent: not known. */
  createdAt?: Instant | null;
};

/** Stripe counts in whole seconds: what is of the same second may be later. */
const isBefore = (createdAt: Instant, at: Instant): boolean => createdAt < Math.floor(at / 1000) * 1000;

/**
 * Whether an object that names this user names one who was erased: the user has not come back (a checkout, a grant, a mapping
 * or an assignment made the row anew), or the object is older than the erasure.
 */
export function isErasedUser(
  { erased, users }: Pick<Catalog, 'erased' | 'users'>,
  { projectId, userId }: { projectId: string; userId: string },
  createdAt: Instant | null,
): boolean {
  const at = erased?.users.get(userId)?.get(projectId);
  if (at === undefined) return false;
  const isBack = users.some((user) => user.projectId === projectId && user.userId === userId);
  return !isBack || (createdAt !== null && isBefore(createdAt, at));
}

const mappingsOf = (customerId: string | null, { mappings }: Pick<Catalog, 'mappings'>): readonly Owner[] =>
  customerId === null ? [] : (mappings.get(customerId) ?? []);

/**
 * The project that an object names where its price does not say it: that of its assignment, else the claimed one, unless
 * its customer is mapped in others only, as our mapping beats what metadata says.
 */
export function namedProject(
  { customerId, claims }: Pick<Ownable, 'customerId' | 'claims'>,
  catalog: Pick<Catalog, 'mappings'>,
  known: KnownOwners = noOwners,
): string | null {
  const assigned = known.others.find((one) => one.source === 'assignment');
  if (assigned !== undefined) return assigned.owner.projectId;
  const mapped = mappingsOf(customerId, catalog);
  const isMappedThere = mapped.some((owner) => owner.projectId === claims.projectId);
  const named = isMappedThere ? claims.projectId : (mapped[0]?.projectId ?? claims.projectId);
  return named ?? known.first?.projectId ?? null;
}

/** The projects that have items in an object, each once, in the order of the items. Null: no project is known. */
export function projectsOf(
  object: Ownable,
  catalog: Catalog,
  known: KnownOwners = noOwners,
): (string | null)[] {
  const named = namedProject(object, catalog, known);
  const projects = object.items.map((item) => sellingProject(item, catalog) ?? named);
  const found = [...new Set(projects)].filter((projectId) => projectId !== null);
  return found.length > 0 ? found : [named];
}

/** The user whom the object claims in a project: a claimed project must be that one. */
function claimedOwner(projectId: string, object: Ownable, catalog: Catalog): Owned | null {
  const { claims, createdAt = null } = object;
  const { userId, userSource } = claims;
  const speaksOf = claims.projectId === null || claims.projectId === projectId;
  if (userId === null || !speaksOf || !catalog.projects.has(projectId)) return null;
  if (isErasedUser(catalog, { projectId, userId }, createdAt)) return null;
  const stored = catalog.users.find((user) => user.projectId === projectId && user.userId === userId);
  const owner = stored ?? { ref: null, projectId, userId, version: 0 };
  return { owner, source: userSource ?? 'buyer_hint' };
}

/** The owner in one project; a known one stays where nothing names another. */
function ownerIn(projectId: string, object: Ownable, catalog: Catalog, known: KnownOwners): Owned | null {
  const isThere = (owner: Owner): boolean => owner.projectId === projectId;
  const stored = known.others.find((one) => isThere(one.owner));
  if (stored?.source === 'assignment') return stored;
  const mapped = mappingsOf(object.customerId, catalog).find(isThere);
  if (mapped !== undefined) return { owner: mapped, source: 'mapping' };
  const claimed = claimedOwner(projectId, object, catalog);
  if (claimed !== null) return claimed;
  const { first } = known;
  return first !== null && isThere(first) ? { owner: first, source: 'buyer_hint' } : (stored ?? null);
}

/**
 * Whether the part of an object that belongs to a project is an erased user's: the object itself was erased there, or its
 * customer was and it is older, or it has no owner there and names nobody else. What an operator assigned is not.
 */
function isErasedIn(
  { projectId, owned }: { projectId: string | null; owned: Owned | null },
  { id, customerId, claims, createdAt = null }: Ownable,
  catalog: Catalog,
): boolean {
  const { erased } = catalog;
  if (erased === undefined || owned?.source === 'assignment') return false;
  const erasedIn = (stripeId: string | null): readonly Instant[] => {
    const projects = stripeId === null ? undefined : erased.objects.get(stripeId);
    if (projects === undefined) return [];
    const at = projectId === null ? [...projects.values()] : [projects.get(projectId)];
    return at.filter((one) => one !== undefined);
  };
  if (erasedIn(id).length > 0) return true;
  const ofCustomer = erasedIn(customerId);
  if (createdAt !== null && ofCustomer.some((at) => isBefore(createdAt, at))) return true;
  if (owned !== null) return false;
  if (claims.userId === null) return ofCustomer.length > 0;
  const { userId } = claims;
  const named = projectId ?? claims.projectId;
  const meant = named === null ? [...(erased.users.get(userId)?.keys() ?? [])] : [named];
  return meant.some((project) => isErasedUser(catalog, { projectId: project, userId }, createdAt));
}

/** Why no owner is known in one of the object's projects. */
function reasonOf(
  projectId: string | null,
  { id, customerId, claims, items }: Ownable,
  { catalog, isOwned }: { catalog: Catalog; isOwned: boolean },
): Waits {
  const awaits = customerId ?? id;
  const isElsewhere = isOwned || mappingsOf(customerId, catalog).length > 0;
  if (isElsewhere && projectId !== null) return { reason: 'price_of_other_project', awaits };
  if (claims.userId === null) return { reason: 'unknown_customer', awaits };
  const [first] = items;
  if (projectId === null)
    return first === undefined
      ? { reason: 'unknown_project', awaits }
      : { reason: 'unknown_price', awaits: first.stripePriceId };
  const named = claims.projectId ?? projectId;
  if (!catalog.projects.has(named)) return { reason: 'unknown_project', awaits: customerId ?? named };
  return { reason: named === projectId ? 'unknown_customer' : 'price_of_other_project', awaits };
}

/** Whether an owner's source is a hint where the project accepts none: then the object grants nothing there. */
export const isQuarantinedHint = (
  { owner, source }: Owned,
  { hintQuarantines }: Pick<Catalog, 'hintQuarantines'>,
): boolean => source === 'buyer_hint' && hintQuarantines.has(owner.projectId);

function contradicts(claims: Claims, owner: Owner, projects: readonly (string | null)[]): boolean {
  const { projectId, userId } = claims;
  if (projectId !== null && !projects.includes(projectId)) return true;
  const speaksOf = projectId === null || projectId === owner.projectId;
  return speaksOf && userId !== null && userId !== owner.userId;
}

/**
 * Whose an object is, each item by itself: the project is its price's (unknown price: the one that the object names);
 * the user in that project is an assignment, else our mapping of the Stripe customer there, else the user whom metadata
 * claims, else the one whom the buyer hints at. Nothing else creates an owner, and no event creates a mapping. What has
 * no owner is quarantined (invariant "unknown is not lost"); so is, with its owner, what a hint alone gives where the
 * project's policy accepts none.
 */
export function resolveOwners(object: Ownable, catalog: Catalog, known: KnownOwners = noOwners): Ownership {
  const projects = projectsOf(object, catalog, known);
  const found = projects.map((projectId) => ({
    projectId,
    owned: projectId === null ? null : ownerIn(projectId, object, catalog, known),
  }));
  const kept = found.filter((part) => !isErasedIn(part, object, catalog));
  const owners = kept.flatMap(({ owned }) => owned ?? []);
  const ownerless = kept.find(({ owned }) => owned === null);
  const missing = unknownPrice(object.items, catalog);
  const priceWaits: Waits | null = missing === null ? null : { reason: 'unknown_price', awaits: missing };
  const hintWaits: Waits | null = owners.some((one) => isQuarantinedHint(one, catalog))
    ? { reason: 'buyer_hint', awaits: object.customerId ?? object.id }
    : null;
  if (kept.length === 0) return { owners, erased: 'all', waits: null, isContested: false };
  return {
    owners,
    erased: kept.length === found.length ? 'none' : 'some',
    waits:
      ownerless === undefined
        ? (priceWaits ?? hintWaits)
        : reasonOf(ownerless.projectId, object, { catalog, isOwned: owners.length > 0 }),
    isContested: owners.some(
      ({ owner, source }) =>
        (source === 'assignment' || source === 'mapping') && contradicts(object.claims, owner, projects),
    ),
  };
}

/** The first of the items' prices that is in no catalog: mapping it, or its Stripe product, releases the quarantine. */
export const unknownPrice = (items: Ownable['items'], catalog: ForSale): string | null =>
  items.find((item) => sellingProject(item, catalog) === null)?.stripePriceId ?? null;
