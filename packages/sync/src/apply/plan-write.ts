import { describeRow, differences, isErasedName, namedUsers, planOwners } from '@billing/domain';
import type { FieldChange, Instant, Ownable, Owner, OwnersPlan, Waits } from '@billing/domain';
import type {
  EventState,
  StoredObject,
  LedgerOutcome,
  LedgerStatus,
  ObjectKey,
  Outcome,
} from '@billing/store';
import type { ObjectKind, ObjectRow, Role } from './object-kinds.ts';
import type { QueuedEvent, ReceivedEvent } from './target.ts';

/** What became of one event, as the metrics call it. */
export type EventResult = { status: LedgerStatus | 'duplicate'; reason: string | null };

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
  /**
   * The object whose quarantine is looked at after the commit: something was quarantined, and its mapping may have been
   * committed meanwhile; or its earlier events wait for what it has now.
   */
  review: ObjectKey | null;
  /** The objects for which a payment that changed matters, and the users whose version grows with this write. */
  related: { objectIds: readonly string[]; bumped: readonly number[] };
  /** Metadata names another user than our mapping. */
  isContested: boolean;
  /** Of the state that it was decided by: a later erasure makes it void. */
  erasureMark: number;
};

/** Nothing is written, so that no erasure matters. */
export const emptyPlan: WritePlan = {
  kind: 'write',
  outcome: null,
  owner: null,
  results: new Map(),
  republish: [],
  review: null,
  related: { objectIds: [], bumped: [] },
  isContested: false,
  erasureMark: Number.MAX_SAFE_INTEGER,
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
  /** When Stripe created the object; null or absent: not known. It matters where its user was erased. */
  createdAt?: Instant | null;
};

const hasAll = (ids: readonly string[], others: readonly string[]): boolean =>
  others.every((id) => ids.includes(id));

const isStored = (owner: Owner): boolean => owner.ref !== null;

const storedRefs = (owners: readonly (Owner | null)[]): number[] => [
  ...new Set(owners.flatMap((owner) => owner?.ref ?? [])),
];

/** The object as its owners are found by. */
const ownable = <Row extends ObjectRow>({ row, state, createdAt = null }: Change<Row>): Row & Ownable =>
  state.erased === undefined ? row : { ...row, createdAt };

/** What an erased user had, or what belongs to such an object. One that others own a part of is stored, and stays. */
const isErasedObject = <Row extends ObjectRow, Found>(
  kind: ObjectKind<Row, Found>,
  { stored, row, state }: Change<Row>,
): boolean =>
  stored === undefined &&
  [row.id, ...kind.relatedIds(row)].some((id) => state.erased?.objects.has(id) === true);

/** Nothing of an erased user's object is stored, and of its events that they came. */
function planErased<Row extends ObjectRow>({ state, events }: Change<Row>): WritePlan {
  if (events === undefined) return emptyPlan;
  const { steps, ignored = [], now } = events;
  const rows = [...steps, ...ignored].map(({ queued }) => toErased(queued, { state, now }));
  return { ...emptyPlan, outcome: { kind: 'none', events: rows }, erasureMark: state.erasureMark };
}

/** The owners by the new row; of an object that grants nothing they stay as they are. */
function ownersOf<Row extends ObjectRow>(role: Role, change: Change<Row>): OwnersPlan {
  const { stored, state } = change;
  const row = ownable(change);
  const known = stored?.owners;
  if (role === 'source')
    return planOwners({ before: stored?.row ?? null, row, ...(known && { known }) }, state);
  const owner = known?.first ?? null;
  const others = (known?.others ?? []).map((one) => one.owner);
  return {
    owner,
    concerned: [...(owner === null ? [] : [owner]), ...others],
    isChanged: false,
    erased: 'none',
    waits: null,
    waitsForOther: false,
    isContested: false,
  };
}

/**
 * Everything that follows from an object's new row: its owners, the users whose version grows, whether its items are
 * replaced, what the ledger says of each event, which waiting events are released. Pure.
 */
export function planWrite<Row extends ObjectRow, Found>(
  kind: ObjectKind<Row, Found>,
  change: Change<Row>,
): WritePlan {
  const { stored, state, events = { steps: [], now: 0 } } = change;
  const role = kind.role(change.row);
  const { owner, others, concerned, ...owners } = ownersOf(role, change);
  if (isErasedObject(kind, change) || (stored === undefined && owners.erased === 'all'))
    return planErased(change);
  const known = stored?.owners;
  const row =
    state.erased === undefined
      ? change.row
      : kind.withoutErased(change.row, ownable(change), { catalog: state, known });
  const before = stored?.row ?? kind.unknown(row.id);
  const holders = [...kind.holders(before, state), ...kind.holders(row, state)];
  const changesEntitlements =
    owners.isChanged || kind.entitlementInputs(before) !== kind.entitlementInputs(row);
  const bumps = changesEntitlements ? storedRefs([...concerned, ...holders]) : [];
  const projectId = (owner ?? holders[0])?.projectId ?? null;
  const ledgerRole = kind.isReceipt(row, state) ? 'related' : role;
  const ledger = [
    ...events.steps.map(({ queued, outcome }) =>
      owners.erased === 'all'
        ? toErased(queued, { state, now: events.now })
        : toLedger(
            queued,
            { ...entryOf(outcome, ledgerRole, owners.waits), projectId },
            { state, now: events.now },
          ),
    ),
    ...(events.ignored ?? []).map((one) => toIgnored(one, projectId, { state, now: events.now })),
  ];
  // The events of an invoice that turns out to record this purchase wait for nothing any more.
  const isNewRecorder = kind.receiptId(row) !== kind.receiptId(before);
  const hasNewItems = JSON.stringify(before.items) !== JSON.stringify(row.items);
  const isQuarantined = ledger.some((event) => event.status === 'quarantined');
  const outcome = kind.outcome({
    row,
    hasNewItems,
    keepsItems: hasAll(kind.itemIds(row), kind.itemIds(before)),
    owner,
    ...(others && { others }),
    bumps,
    events: ledger,
  });
  return {
    ...emptyPlan,
    outcome,
    owner,
    republish: bumps.length === 0 ? [...concerned, ...holders].filter(isStored) : [],
    review: isQuarantined || owners.waitsForOther || isNewRecorder ? kind.key(row.id) : null,
    related: { objectIds: changesEntitlements ? kind.relatedIds(row) : [], bumped: bumps },
    isContested: owners.isContested && ledger.length > 0,
    erasureMark: state.erasureMark,
  };
}

type Entry = { status: LedgerStatus; reason: string | null; awaits: string | null };

/** What the ledger says of an event: first by its order, then by what its object waits for. */
function entryOf(step: EventStep['outcome'], role: Role, waits: Waits | null): Entry {
  if (step === 'stale') return { status: 'stale', reason: null, awaits: null };
  if (role === 'none') return { status: 'ignored', reason: 'no_purchase', awaits: null };
  if (role === 'source' && waits !== null) return { status: 'quarantined', ...waits };
  return { status: 'applied', reason: null, awaits: null };
}

type Read = { state: EventState; now: Instant };

/** Whether the event names a user who was erased: its payload must not be kept. */
export function namesErased(
  { event, payload }: ReceivedEvent,
  { state, projectId }: { state: EventState; projectId: string | null },
): boolean {
  if (state.erased === undefined) return false;
  const projects = projectId === null ? [] : [projectId];
  const context = { catalog: state, projects, createdAt: event.objectCreatedAt };
  return namedUsers(payload).some((named) => isErasedName(named, context));
}

/** The ledger row of an event. */
export function toLedger(
  received: ReceivedEvent,
  entry: Entry & { projectId: string | null },
  { state, now }: Read,
): LedgerOutcome {
  const { event, receivedAt, payload } = received;
  return {
    eventId: event.id,
    type: event.type,
    objectId: event.objectId,
    customerId: event.customerId,
    apiVersion: event.apiVersion,
    created: event.created,
    receivedAt,
    processedAt: now,
    traceId: received.traceId ?? null,
    payload: namesErased(received, { state, projectId: entry.projectId }) ? {} : payload,
    ...entry,
  };
}

export const toIgnored = (
  { queued, reason }: IgnoredEvent,
  projectId: string | null,
  read: Read,
): LedgerOutcome =>
  namesErased(queued, { state: read.state, projectId })
    ? toErased(queued, read)
    : toLedger(queued, { status: 'ignored', reason, awaits: null, projectId }, read);

/** The ledger row of an event about what an erased user had: that it came, and nothing of it. */
export const toErased = (received: ReceivedEvent, read: Read): LedgerOutcome => ({
  ...toLedger(received, { status: 'ignored', reason: 'erased', awaits: null, projectId: null }, read),
  payload: {},
});

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
  const before = stored === undefined ? {} : describeRow(stored.row, stored.owners.first);
  return differences(before, describeRow(outcome.row, outcome.owner));
}
