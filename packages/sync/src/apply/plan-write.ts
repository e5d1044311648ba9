import { describeRow, differences, resolveOwner, unknownPrice } from '@billing/domain';
import type { FieldChange, Instant, Ownable, Owner, Ownership } from '@billing/domain';
import type { EventState, StoredObject, LedgerOutcome, LedgerStatus, Outcome } from '@billing/store';
import type { ObjectKind, ObjectRow, Role } from './object-kinds.ts';
import type { QueuedEvent, ReceivedEvent } from './target.ts';

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
  /** The objects for which a payment that changed matters, and the users whose version grows with this write. */
  related: { objectIds: readonly string[]; bumped: readonly number[] };
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
  related: { objectIds: [], bumped: [] },
  isContested: false,
};

/** An event, and whether it was newer than the row. */
export type EventStep = { queued: QueuedEvent; outcome: 'applied' | 'stale' };

/** An event that means nothing for any row. */
export type IgnoredEvent = { queued: QueuedEvent; reason: string };

type Change<Row> = {
  /** As it was read; undefined: the object is new. */
  stored: StoredObject<Row> | undefined;
  /** As it shall be stored. */
  row: Row;
  state: EventState;
  /** The events that the change comes from; absent: it comes from a lookup or a list, and the ledger gets no row. */
  events?: { steps: readonly EventStep[]; ignored?: readonly IgnoredEvent[]; now: Instant };
};

const isStored = (owner: Owner): boolean => owner.ref !== null;

const storedRefs = (owners: readonly (Owner | null)[]): number[] => [
  ...new Set(owners.flatMap((owner) => owner?.ref ?? [])),
];

/**
 * Everything that follows from an object's new row: its owner, the users whose version grows, whether its items are
 * replaced, what the ledger says of each event, which waiting events are released. A known owner is never lost. Pure.
 */
export function planWrite<Row extends ObjectRow, Found>(
  kind: ObjectKind<Row, Found>,
  { stored, row, state, events = { steps: [], now: 0 } }: Change<Row>,
): WritePlan {
  const before = stored?.row ?? kind.unknown(row.id);
  const previousOwner = stored?.owner ?? null;
  const role = kind.role(row);
  const ownership = resolveOwner(row, state);
  const owner = ownership.kind === 'owned' && role === 'source' ? ownership.owner : previousOwner;
  const holders = [...kind.holders(before, state), ...kind.holders(row, state)];
  const changesEntitlements =
    owner?.ref !== previousOwner?.ref || kind.entitlementInputs(before) !== kind.entitlementInputs(row);
  const bumps = changesEntitlements ? storedRefs([owner, previousOwner, ...holders]) : [];
  const object = {
    ownership,
    owner,
    role: kind.isReceipt(row, state) ? 'related' : role,
    unknownPrice: unknownPrice(row.items, state.prices),
  } as const;
  const projectId = (owner ?? holders[0])?.projectId ?? null;
  const ledger = [
    ...events.steps.map(({ queued, outcome }) =>
      toLedger(queued, { ...entryOf(outcome, object), projectId }, events.now),
    ),
    ...(events.ignored ?? []).map((one) => toIgnored(one, projectId, events.now)),
  ];
  const isFreed = stored !== undefined && previousOwner === null && owner !== null;
  // The events of an invoice that turns out to record this purchase wait for nothing any more.
  const isNewRecorder = kind.receiptId(row) !== kind.receiptId(before);
  const hasNewItems = JSON.stringify(before.items) !== JSON.stringify(row.items);
  return {
    ...emptyPlan,
    outcome: kind.outcome({ row, hasNewItems, owner, bumps, events: ledger }),
    owner,
    republish: bumps.length === 0 ? [...(owner === null ? [] : [owner]), ...holders].filter(isStored) : [],
    awaited: ledger.some((event) => event.status === 'quarantined') ? awaitedOf(row) : null,
    releases: isFreed || isNewRecorder ? namesOf(awaitedOf(row)) : [],
    related: { objectIds: changesEntitlements ? kind.relatedIds(row) : [], bumped: bumps },
    isContested: ownership.kind === 'owned' && ownership.isContested && ledger.length > 0,
  };
}

type Entry = { status: LedgerStatus; reason: string | null; awaits: string | null };

/** What the ledger says of an event: first by its order, then by the owner, then by the price. */
function entryOf(
  step: EventStep['outcome'],
  object: { ownership: Ownership; owner: Owner | null; role: Role; unknownPrice: string | null },
): Entry {
  const { ownership, owner, role } = object;
  const applied = { status: 'applied', reason: null, awaits: null } as const;
  if (step === 'stale') return { status: 'stale', reason: null, awaits: null };
  if (role === 'none') return { status: 'ignored', reason: 'no_purchase', awaits: null };
  if (role === 'related') return applied;
  if (owner === null && ownership.kind === 'unknown')
    return { status: 'quarantined', reason: ownership.reason, awaits: ownership.awaits };
  if (object.unknownPrice !== null)
    return { status: 'quarantined', reason: 'unknown_price', awaits: object.unknownPrice };
  return applied;
}

/** The ledger row of an event. */
export function toLedger(
  { event, receivedAt, payload }: ReceivedEvent,
  entry: Entry & { projectId: string | null },
  now: Instant,
): LedgerOutcome {
  return {
    eventId: event.id,
    type: event.type,
    objectId: event.objectId,
    customerId: event.customerId,
    apiVersion: event.apiVersion,
    created: event.created,
    receivedAt,
    processedAt: now,
    payload,
    ...entry,
  };
}

export const toIgnored = (
  { queued, reason }: IgnoredEvent,
  projectId: string | null,
  now: Instant,
): LedgerOutcome => toLedger(queued, { status: 'ignored', reason, awaits: null, projectId }, now);

const awaitedOf = ({ customerId, claims, items }: Ownable): Awaited => ({
  customerId,
  projectId: claims.projectId,
  priceIds: items.map((item) => item.stripePriceId),
});

/** All that an event of the object can have been waiting for. */
export const namesOf = ({ customerId, projectId, priceIds }: Awaited): string[] =>
  [customerId, projectId, ...priceIds].filter((name) => name !== null);

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
