import { isQuarantinedHint, noOwners, resolveOwners } from './resolve-owner.ts';
import type { Catalog, KnownOwners, Ownable, Owned, Owner, Ownership, Waits } from './resolve-owner.ts';

/** An object as it is stored and as it shall be; `before` null: it is new. */
export type OwnedChange<Row extends Ownable> = { before: Row | null; row: Row; known?: KnownOwners };

/** What an object's new row means for its owners. */
export type OwnersPlan = {
  /** The row's own user. */
  owner: Owner | null;
  /** In further projects, without assignments; absent: as they are. */
  others?: readonly Owned[];
  /** Everybody who owns a part of it, before or after. */
  concerned: readonly Owner[];
  /** Somebody gets or loses a part of it, or may use it because a better source than a hint names the same user. */
  isChanged: boolean;
  /** The projects whose part of it belongs to an erased user. */
  erased: Ownership['erased'];
  waits: Waits | null;
  /** What it waited for is not what it waits for now. */
  waitsForOther: boolean;
  isContested: boolean;
};

const isDerived = ({ source }: Owned): boolean => source !== 'assignment';

const keyOf = (owned: readonly Owned[]): string =>
  JSON.stringify(owned.map(({ owner, source }) => [owner.projectId, owner.userId, source]));

const usersOf = (owners: readonly Owner[]): string =>
  JSON.stringify(
    [...new Set(owners.map(({ projectId, userId }) => JSON.stringify([projectId, userId])))].sort(),
  );

/** All owners of an object; an assignment stays also where its project has no item at the moment. */
function ownersAfter({ owners }: Ownership, known: KnownOwners): Owner[] {
  const assigned = known.others.filter((one) => !isDerived(one));
  return [...owners, ...assigned].map(({ owner }) => owner);
}

/** The users to whom an object gives nothing, as only a hint names them. */
const quarantined = ({ owners }: Ownership, catalog: Catalog): string =>
  usersOf(owners.filter((one) => isQuarantinedHint(one, catalog)).map(({ owner }) => owner));

/** The same by the object's row before. */
const quarantinedBefore = (before: Ownable | null, known: KnownOwners, catalog: Catalog): string =>
  before === null || catalog.hintQuarantines.size === 0
    ? usersOf([])
    : quarantined(resolveOwners(before, catalog, known), catalog);

/**
 * Plans the owners of an object that can grant features: who owns it by its new row, and whom that concerns. Where it
 * is decided, there is no other rule than `resolveOwners`: the same for an event, a mapping, a price and an assignment.
 */
export function planOwners<Row extends Ownable>(
  { before, row, known = noOwners }: OwnedChange<Row>,
  catalog: Catalog,
): OwnersPlan {
  const ownership = resolveOwners(row, catalog, known);
  const [first, ...rest] = ownership.owners;
  const others = rest.filter(isDerived);
  const ownersBefore = [
    ...(known.first === null ? [] : [known.first]),
    ...known.others.map(({ owner }) => owner),
  ];
  const after = ownersAfter(ownership, known);
  const isChanged =
    usersOf(ownersBefore) !== usersOf(after) ||
    quarantinedBefore(before, known, catalog) !== quarantined(ownership, catalog);
  const hasNewItems = JSON.stringify(before?.items ?? []) !== JSON.stringify(row.items);
  const waitedFor =
    before !== null && (isChanged || hasNewItems)
      ? resolveOwners(before, catalog, known).waits
      : ownership.waits;
  return {
    owner: first?.owner ?? null,
    ...(keyOf(others) === keyOf(known.others.filter(isDerived)) ? {} : { others }),
    concerned: [...ownersBefore, ...after],
    isChanged,
    erased: ownership.erased,
    waits: ownership.waits,
    waitsForOther: before !== null && JSON.stringify(waitedFor) !== JSON.stringify(ownership.waits),
    isContested: ownership.isContested,
  };
}
