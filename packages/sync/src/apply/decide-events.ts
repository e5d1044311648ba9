import { unknownPrice } from '@billing/domain';
import type {
  Instant,
  PaymentDetails,
  PaymentQuery,
  StripeLookup,
  SubscriptionSnapshot,
} from '@billing/domain';
import type { EventState, LedgerOutcome, LedgerStatus } from '@billing/store';
import { purchaseKind, subscriptionKind } from './object-kinds.ts';
import type { ObjectKind, ObjectRow, Role } from './object-kinds.ts';
import { emptyPlan, planWrite } from './plan-write.ts';
import type { EventResult, Ownerships, WritePlan } from './plan-write.ts';
import type { EventGroup, QueuedEvent, ReceivedEvent } from './target.ts';

/** Stripe must be asked first. `query`: which details of a payment; null: the subscription itself. */
export type NeedsLookup = { kind: 'needs_lookup'; query: PaymentQuery | null };

export type Decision = WritePlan | NeedsLookup;

/** Stripe's answer about a group's object, and the version of the row before Stripe was asked. */
export type GroupLookup = { rowVersion: number } & (
  | { kind: 'subscription'; lookup: StripeLookup<SubscriptionSnapshot> }
  | { kind: 'purchase'; lookup: StripeLookup<PaymentDetails> }
);

type DecideInput = { state: EventState; found: GroupLookup | null; now: Instant };

/** Decides the events of one object by its kind. Pure: the write compares the row version. */
export function decideEvents({ events }: EventGroup, { state, found, now }: DecideInput): Decision {
  const [{ target }] = events;
  if (target.kind === 'subscription') {
    const lookup = found?.kind === 'subscription' ? found.lookup : null;
    return decideObject(subscriptionKind, { id: target.id, events, state, lookup, now });
  }
  if (target.kind === 'purchase') {
    const lookup = found?.kind === 'purchase' ? found.lookup : null;
    return decideObject(purchaseKind, { id: target.id, events, state, lookup, now });
  }
  return decideObjectless(events, { state, now });
}

type ObjectEvents<Found> = {
  id: string;
  events: readonly QueuedEvent[];
  state: EventState;
  /** Stripe's answer, if it was asked. */
  lookup: StripeLookup<Found> | null;
  now: Instant;
};

/** The object's new state and owner, what the ledger says of each event, whose version grows. */
function decideObject<Row extends ObjectRow, Found>(
  kind: ObjectKind<Row, Found>,
  { id, events, state, lookup, now }: ObjectEvents<Found>,
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
  const object = { role: kind.role(row), unknownPrice: unknownPrice(row.items, state.prices) };
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

/** Events about no stored object: they are recorded, and a deleted customer gets a tombstone. */
function decideObjectless(
  events: readonly QueuedEvent[],
  { state, now }: { state: EventState; now: Instant },
): Decision {
  const { fresh, results } = splitKnown(events, state);
  const [queued] = fresh;
  if (queued === undefined) return { ...emptyPlan, results };
  const { target, event } = queued;
  const result =
    target.kind === 'none'
      ? { status: target.status, reason: target.reason }
      : { status: 'applied' as const, reason: null };
  const owner = event.customerId === null ? undefined : state.mappings.get(event.customerId);
  const row = toLedger(queued, { ...result, awaits: null, projectId: owner?.projectId ?? null }, now);
  const outcome =
    target.kind === 'customer_deleted'
      ? {
          kind: 'customer_deleted' as const,
          customerId: target.customerId,
          deletedAt: event.created,
          events: [row],
        }
      : { kind: 'none' as const, events: [row] };
  return { ...emptyPlan, outcome, results: new Map([...results, [event.id, result]]) };
}

const isFinal = (status: LedgerStatus): boolean => status !== 'failed' && status !== 'quarantined';

/** In Stripe's order as far as it is known; equals by id, so that a batch is always decided the same way. */
const inOrder = (a: QueuedEvent, b: QueuedEvent): number =>
  a.event.created - b.event.created || (a.event.id < b.event.id ? -1 : 1);

/** Events without a final outcome in the ledger, each once, in order; and the results of the others. */
function splitKnown(
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
