import { describeRow, differences, resolveOwner } from '@billing/domain';
import type { FieldChange, Ownable, Owner, Ownership } from '@billing/domain';
import type { EventState, StoredObject, LedgerOutcome, LedgerStatus, Outcome } from '@billing/store';
import type { ObjectKind, ObjectRow } from './object-kinds.ts';

/** What became of one event, as the metrics call it. */
export type EventResult = { status: LedgerStatus | 'duplicate'; reason: string | null };

/** The mappings that would release a quarantined object. */
export type Awaited = { customerId: string | null; projectId: string | null; priceIds: readonly string[] };

/** A decision that can be written as it is, and what follows its commit. */
export type WritePlan = {
  kind: 'write';
  /** Null: nothing to write, as every event was known. */
  outcome: Outcome | null;
  /** Of the object, after the write. */
  owner: Owner | null;
  /** By event id. */
  results: ReadonlyMap<string, EventResult>;
  /** Users whose cached answer is invalidated although their version does not grow. */
  republish: readonly Owner[];
  /** Set where something was quarantined: its mapping may have been committed meanwhile. */
  awaited: Awaited | null;
  /** What earlier events of the object may wait for, now that it has an owner. */
  releases: readonly string[];
  /** The invoice of a payment that changed, and the users whose version grows with this write. */
  billed: { invoiceId: string | null; bumped: readonly number[] };
  /** Metadata names another user than our mapping. */
  isContested: boolean;
};

export const emptyPlan: WritePlan = {
  kind: 'write',
  outcome: null,
  owner: null,
  results: new Map(),
  republish: [],
  awaited: null,
  releases: [],
  billed: { invoiceId: null, bumped: [] },
  isContested: false,
};

/** Who an object belongs to after a change, before it is known what the ledger says. */
export type Ownerships = {
  /** By the rules; `unknown` says what is missing. */
  ownership: Ownership;
  /** The owner that is stored: a known owner is never lost. */
  owner: Owner | null;
  /** Users whose entitlements depend on the object without it being theirs. */
  holders: readonly Owner[];
};

type Change<Row> = {
  /** As it was read; absent: the object is new. */
  stored: StoredObject<Row> | undefined;
  /** As it shall be stored. */
  row: Row;
  state: EventState;
};

const isStored = (owner: Owner): boolean => owner.ref !== null;

const storedRefs = (owners: readonly (Owner | null)[]): number[] => [
  ...new Set(owners.flatMap((owner) => owner?.ref ?? [])),
];

/**
 * Everything that follows from an object's new row: its owner, the users whose version grows, whether its items are
 * replaced, which waiting events are released. Pure. `toLedger` says what the ledger keeps; absent: nothing, as the
 * change comes from no event.
 */
export function planWrite<Row extends ObjectRow, Found>(
  kind: ObjectKind<Row, Found>,
  { stored, row, state }: Change<Row>,
  toLedger: (ownerships: Ownerships) => readonly LedgerOutcome[] = () => [],
): WritePlan {
  const before = stored?.row ?? kind.unknown(row.id);
  const previousOwner = stored?.owner ?? null;
  const ownership = resolveOwner(row, state);
  const isOwned = ownership.kind === 'owned' && kind.role(row) === 'source';
  const owner = isOwned ? ownership.owner : previousOwner;
  const holders = [...kind.holders(before, state), ...kind.holders(row, state)];
  const changesEntitlements =
    owner?.ref !== previousOwner?.ref || kind.entitlementInputs(before) !== kind.entitlementInputs(row);
  const bumps = changesEntitlements ? storedRefs([owner, previousOwner, ...holders]) : [];
  const events = toLedger({ ownership, owner, holders });
  const hasNewItems = JSON.stringify(before.items) !== JSON.stringify(row.items);
  return {
    ...emptyPlan,
    outcome: kind.outcome({ row, hasNewItems, owner, bumps, events }),
    owner,
    republish: bumps.length === 0 ? [...(owner === null ? [] : [owner]), ...holders].filter(isStored) : [],
    awaited: events.some((event) => event.status === 'quarantined') ? awaitedOf(row) : null,
    releases: stored !== undefined && previousOwner === null && owner !== null ? namesOf(row) : [],
    billed: { invoiceId: changesEntitlements ? kind.billsFor(row) : null, bumped: bumps },
    isContested: ownership.kind === 'owned' && ownership.isContested && events.length > 0,
  };
}

const awaitedOf = ({ customerId, claims, items }: Ownable): Awaited => ({
  customerId,
  projectId: claims.projectId,
  priceIds: items.map((item) => item.stripePriceId),
});

/** All that an event of the object can have been waiting for. */
function namesOf(ownable: Ownable): string[] {
  const { customerId, projectId, priceIds } = awaitedOf(ownable);
  return [customerId, projectId, ...priceIds].filter((name) => name !== null);
}

/** The row and owner that a plan would replace; undefined: the object is new, or the plan writes none. */
export function storedBefore({ outcome }: WritePlan, state: EventState) {
  if (outcome?.kind === 'subscription') return state.subscriptions.get(outcome.row.id);
  return outcome?.kind === 'purchase' ? state.purchases.get(outcome.row.id) : undefined;
}

/** The fields that a plan changes in an object, by path; bookkeeping does not count. */
export function changedFields(plan: WritePlan, state: EventState): FieldChange[] {
  const { outcome } = plan;
  if (outcome?.kind !== 'subscription' && outcome?.kind !== 'purchase') return [];
  const stored = storedBefore(plan, state);
  const before = stored === undefined ? {} : describeRow(stored.row, stored.owner);
  return differences(before, describeRow(outcome.row, outcome.owner));
}
