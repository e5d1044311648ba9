import { resolveOwner, unknownPrice } from '@billing/domain';
import type { Instant, Ownable, Owner, Ownership, PaymentQuery, StripeLookup } from '@billing/domain';
import type { EventState, LedgerOutcome, LedgerStatus, Outcome } from '@billing/store';
import type { ObjectKind, Standing } from './object-kinds.ts';
import type { QueuedEvent } from './target.ts';

/** What became of one event, as the metrics call it. */
export type EventResult = { status: LedgerStatus | 'duplicate'; reason: string | null };

/** What would heal a quarantined object, whichever of it is mapped. */
export type Awaited = { customerId: string | null; projectId: string | null; priceIds: readonly string[] };

export type Billed = { invoiceId: string | null; bumped: readonly number[] };

export type Settled = {
  kind: 'write';
  /** Null: every event was known already. */
  outcome: Outcome | null;
  results: ReadonlyMap<string, EventResult>;
  /** Whose cached answer is to go, though nothing new was written for them. */
  touched: readonly Owner[];
  /** What was quarantined: looked at again after the commit, should the mapping have come meanwhile. */
  awaited: Awaited | null;
  /** What its earlier events may wait for, now that the object has its user. */
  awaitedNames: readonly string[];
  /** An invoice's payment that changed, and whom the write tells. */
  billed?: Billed;
  isContested: boolean;
};

/** `query`: what of a payment is asked; null: the subscription itself. */
export type NeedsLookup = { kind: 'read'; query: PaymentQuery | null };

export type Decision = Settled | NeedsLookup;

export type ObjectGroup<Read> = {
  id: string;
  events: readonly QueuedEvent[];
  state: EventState;
  lookup: StripeLookup<Read> | null;
  now: Instant;
};

const isFinal = (status: LedgerStatus): boolean => status !== 'failed' && status !== 'quarantined';

/** In Stripe's order as far as it is known; of equals by id, so that a batch is decided the same way always. */
const inOrder = (a: QueuedEvent, b: QueuedEvent): number =>
  a.event.created - b.event.created || (a.event.id < b.event.id ? -1 : 1);

/** Events that are not settled in the ledger, each once; and the others' results. */
export function splitKnown(events: readonly QueuedEvent[], state: EventState) {
  const fresh = new Map<string, QueuedEvent>();
  const results = new Map<string, EventResult>();
  for (const queued of events) {
    const known = state.ledger.get(queued.event.id);
    if (known !== undefined && isFinal(known.status))
      results.set(queued.event.id, { status: 'duplicate', reason: null });
    else fresh.set(queued.event.id, queued);
  }
  return { fresh: [...fresh.values()].sort(inOrder), results };
}

/** The ledger row of an event. */
export function toLedger(
  { event, receivedAt, payload }: QueuedEvent,
  verdict: { status: LedgerStatus; reason: string | null; awaits: string | null; projectId: string | null },
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
    ...verdict,
  };
}

type Verdict = { status: LedgerStatus; reason: string | null; awaits: string | null };

/** Order first, then whose it is, then what it grants. */
function evaluate(
  step: 'applied' | 'stale',
  ownership: Ownership,
  object: { standing: Standing; unknownPrice: string | null },
): Verdict {
  if (step === 'stale') return { status: 'stale', reason: null, awaits: null };
  if (object.standing === 'nobodys') return { status: 'ignored', reason: 'no_purchase', awaits: null };
  if (object.standing === 'noted') return { status: 'applied', reason: null, awaits: null };
  if (ownership.kind === 'unknown')
    return { status: 'quarantined', reason: ownership.reason, awaits: ownership.awaits };
  if (object.unknownPrice !== null)
    return { status: 'quarantined', reason: 'unknown_price', awaits: object.unknownPrice };
  return { status: 'applied', reason: null, awaits: null };
}

const isStored = (owner: Owner): boolean => owner.ref !== null;

const stored = (owners: readonly (Owner | null)[]): number[] => [
  ...new Set(owners.flatMap((owner) => owner?.ref ?? [])),
];

/**
 * Decides all waiting events of one object against its row: which state it has afterwards, whose it is, what
 * the ledger says of each event, whose version grows. Pure: the write compares the row's rowVersion.
 */
export function decideObject<Row, Read>(kind: ObjectKind<Row, Read>, group: ObjectGroup<Read>): Decision {
  const { id, state, lookup, now } = group;
  const held = kind.stored(state, id);
  const before = held?.row ?? kind.unknown(id);
  const { fresh, results } = splitKnown(group.events, state);
  let row = before;
  const steps: { queued: QueuedEvent; outcome: 'applied' | 'stale' }[] = [];
  for (const queued of fresh) {
    const step = kind.step(row, { queued, catalog: state, lookup, now });
    if (step.kind === 'read') return { kind: 'read', query: null };
    row = step.row;
    steps.push({ queued, outcome: step.outcome });
  }
  const finish = kind.finish(row, { state, lookup, now });
  if (finish.kind === 'read') return finish;
  ({ row } = finish);
  const previousOwner = held?.owner ?? null;
  const ownable = kind.ownable(row);
  const standing = kind.standing(row);
  const ownership = resolveOwner(ownable, state);
  const resolved = ownership.kind === 'owned' && standing === 'owned' ? ownership.owner : null;
  const owner = resolved ?? previousOwner;
  const verdict = (outcome: 'applied' | 'stale'): Verdict =>
    evaluate(outcome, owner === null ? ownership : { kind: 'owned', owner, isContested: false }, {
      standing,
      unknownPrice: unknownPrice(ownable.items, state.prices),
    });
  const hasMoved = owner?.ref !== previousOwner?.ref;
  const changesEntitlements = hasMoved || kind.entitlementInputs(before) !== kind.entitlementInputs(row);
  const holders = [...kind.holders(before, state), ...kind.holders(row, state)];
  const bumps = changesEntitlements ? stored([owner, previousOwner, ...holders]) : [];
  const events = steps.map(({ queued, outcome }) => {
    const evaluated = verdict(outcome);
    results.set(queued.event.id, { status: evaluated.status, reason: evaluated.reason });
    const projectId = (owner ?? holders[0])?.projectId ?? null;
    return toLedger(queued, { ...evaluated, projectId }, now);
  });
  const hasNewItems = kind.itemsOf(before) !== kind.itemsOf(row);
  return {
    kind: 'write',
    outcome: steps.length === 0 ? null : kind.outcome({ row, hasNewItems, owner, bumps, events }),
    results,
    touched: bumps.length === 0 ? [...(owner === null ? [] : [owner]), ...holders].filter(isStored) : [],
    awaited: awaitedOf(events, ownable),
    awaitedNames: held !== undefined && previousOwner === null && owner !== null ? namesOf(ownable) : [],
    billed: { invoiceId: changesEntitlements ? kind.billsFor(row) : null, bumped: bumps },
    isContested: ownership.kind === 'owned' && ownership.isContested && steps.length > 0,
  };
}

/** All that an event of the object can have been waiting for. */
export function namesOf({ customerId, claims, items }: Ownable): string[] {
  const names = [customerId, claims.projectId, ...items.map((item) => item.stripePriceId)];
  return names.filter((name) => name !== null);
}

function awaitedOf(events: readonly LedgerOutcome[], ownable: Ownable): Awaited | null {
  if (events.every((event) => event.status !== 'quarantined')) return null;
  return {
    customerId: ownable.customerId,
    projectId: ownable.claims.projectId,
    priceIds: ownable.items.map((item) => item.stripePriceId),
  };
}
