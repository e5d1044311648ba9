import { unknownPrice } from '@billing/domain';
import type { Instant, PaymentQuery, StripeLookup } from '@billing/domain';
import type { EventState, LedgerOutcome, LedgerStatus } from '@billing/store';
import type { ObjectKind, ObjectRow, Role } from './object-kinds.ts';
import { planWrite } from './plan-write.ts';
import type { EventResult, Ownerships, WritePlan } from './plan-write.ts';
import type { QueuedEvent } from './target.ts';

/** Stripe must be asked first. `query`: which details of a payment; null: the subscription itself. */
export type NeedsLookup = { kind: 'needs_lookup'; query: PaymentQuery | null };

export type Decision = WritePlan | NeedsLookup;

type ObjectGroup<Found> = {
  id: string;
  events: readonly QueuedEvent[];
  state: EventState;
  /** Stripe's answer, if it was asked. */
  lookup: StripeLookup<Found> | null;
  now: Instant;
};

const isFinal = (status: LedgerStatus): boolean => status !== 'failed' && status !== 'quarantined';

/** In Stripe's order as far as it is known; equals by id, so that a batch is always decided the same way. */
const inOrder = (a: QueuedEvent, b: QueuedEvent): number =>
  a.event.created - b.event.created || (a.event.id < b.event.id ? -1 : 1);

/** Events without a final outcome in the ledger, each once, in order; and the results of the others. */
export function splitKnown(
  events: readonly QueuedEvent[],
  state: EventState,
): { fresh: QueuedEvent[]; results: Map<string, EventResult> } {
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

type Entry = { status: LedgerStatus; reason: string | null; awaits: string | null };

/** The ledger row of an event. */
export function toLedger(
  { event, receivedAt, payload }: QueuedEvent,
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

/** What the ledger says of an event: first by its order, then by the owner, then by the price. */
function entryOf(
  step: 'applied' | 'stale',
  { ownership, owner }: Ownerships,
  object: { role: Role; unknownPrice: string | null },
): Entry {
  const applied = { status: 'applied', reason: null, awaits: null } as const;
  if (step === 'stale') return { status: 'stale', reason: null, awaits: null };
  if (object.role === 'none') return { status: 'ignored', reason: 'no_purchase', awaits: null };
  if (object.role === 'related') return applied;
  if (owner === null && ownership.kind === 'unknown')
    return { status: 'quarantined', reason: ownership.reason, awaits: ownership.awaits };
  if (object.unknownPrice !== null)
    return { status: 'quarantined', reason: 'unknown_price', awaits: object.unknownPrice };
  return applied;
}

/**
 * Decides all waiting events of one object against its row: its new state, its owner, what the ledger says of each
 * event, whose version grows. Pure: the write compares the row version.
 */
export function decideObject<Row extends ObjectRow, Found>(
  kind: ObjectKind<Row, Found>,
  { id, events, state, lookup, now }: ObjectGroup<Found>,
): Decision {
  const stored = kind.stored(state, id);
  const { fresh, results } = splitKnown(events, state);
  let row = stored?.row ?? kind.unknown(id);
  const steps: { queued: QueuedEvent; outcome: 'applied' | 'stale' }[] = [];
  for (const queued of fresh) {
    const step = kind.step(row, { queued, catalog: state, lookup, now });
    if (step.kind === 'needs_lookup') return { kind: 'needs_lookup', query: null };
    row = step.row;
    steps.push({ queued, outcome: step.outcome });
  }
  const finished = kind.finish(row, { state, lookup, now });
  if (finished.kind === 'needs_lookup') return finished;
  ({ row } = finished);
  const object = { role: kind.role(row), unknownPrice: unknownPrice(kind.ownable(row).items, state.prices) };
  const plan = planWrite(kind, { stored, row, state }, (ownerships) =>
    steps.map(({ queued, outcome }) => {
      const { owner, holders } = ownerships;
      const projectId = (owner ?? holders[0])?.projectId ?? null;
      return toLedger(queued, { ...entryOf(outcome, ownerships, object), projectId }, now);
    }),
  );
  for (const { eventId, status, reason } of plan.outcome?.events ?? [])
    results.set(eventId, { status, reason });
  return { ...plan, outcome: steps.length === 0 ? null : plan.outcome, results };
}
