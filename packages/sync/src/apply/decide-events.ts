import { earliest, namedUsers } from '@billing/domain';
import type {
  Claims,
  Instant,
  PaymentDetails,
  PaymentQuery,
  SoldItem,
  StripeLookup,
  SubscriptionSnapshot,
} from '@billing/domain';
import type { EventState, LedgerStatus, StateKeys } from '@billing/store';
import { purchaseKind, subscriptionKind } from './object-kinds.ts';
import type { ObjectKind, ObjectRow } from './object-kinds.ts';
import { itemKeys, relatedIdsOfDetails, soldByDetails } from './details-keys.ts';
import { emptyPlan, namesErased, planWrite, toErased, toLedger } from './plan-write.ts';
import type { EventResult, EventStep, IgnoredEvent, WritePlan } from './plan-write.ts';
import { projectOfCustomer, recordErased, recordOnly } from './record-only.ts';
import type { EventGroup, QueuedEvent } from './target.ts';

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
  if (stored === undefined && fresh.length > 0 && state.erased?.objects.has(id) === true)
    return recordErased(fresh, { state, results, now });
  let row = stored?.row ?? kind.unknown(id);
  const steps: EventStep[] = [];
  const ignored: IgnoredEvent[] = [];
  for (const queued of fresh) {
    const step = kind.step(row, { queued, catalog: state, lookup, now });
    if (step.kind === 'needs_lookup') return { kind: 'needs_lookup', query: null };
    if (step.kind === 'ignored') {
      ignored.push({ queued, reason: step.reason });
      continue;
    }
    row = step.row;
    steps.push({ queued, outcome: step.outcome });
  }
  if (steps.length === 0 && ignored.length > 0) return recordOnly(ignored, { state, results, now });
  const finished = kind.finish(row, { state, lookup, now });
  if (finished.kind === 'needs_lookup') return finished;
  if (finished.kind === 'ignored') {
    const all = fresh.map((queued) => ({ queued, reason: finished.reason }));
    return recordOnly(all, { state, results, now });
  }
  ({ row } = finished);
  const found = lookup?.kind === 'found' ? kind.createdAt(lookup.object) : null;
  const createdAt = earliest(createdAtOf(fresh), found);
  const plan = planWrite(kind, { stored, row, state, createdAt, events: { steps, ignored, now } });
  for (const { eventId, status, reason } of plan.outcome?.events ?? [])
    results.set(eventId, { status, reason });
  return { ...plan, outcome: steps.length === 0 ? null : plan.outcome, results };
}

/** Whether an event's object is the one that it is about, or says whose that is. */
function tellsAge({ target }: QueuedEvent): boolean {
  if (target.kind === 'purchase') return target.change.claimSource !== null;
  if (target.kind !== 'subscription') return false;
  return target.change.kind === 'snapshot' || target.change.mention.claims.userId !== null;
}

/** When Stripe created the object, as far as its events tell: the earliest of what claims its owner. */
const createdAtOf = (events: readonly QueuedEvent[]): Instant | null =>
  events.reduce<Instant | null>(
    (at, queued) => (tellsAge(queued) ? earliest(at, queued.event.objectCreatedAt) : at),
    null,
  );

/** Events about no stored object: they are recorded, and a deleted customer gets a tombstone. */
function decideObjectless(
  events: readonly QueuedEvent[],
  { state, now }: { state: EventState; now: Instant },
): Decision {
  const { fresh, results } = splitKnown(events, state);
  const [queued] = fresh;
  if (queued === undefined) return { ...emptyPlan, results };
  const { target, event } = queued;
  const projectId = projectOfCustomer(queued, state);
  const isErased = target.kind === 'none' && namesErased(queued, { state, projectId });
  const decided =
    target.kind === 'none'
      ? { status: target.status, reason: target.reason }
      : { status: 'applied' as const, reason: null };
  const row = isErased
    ? toErased(queued, { state, now })
    : toLedger(queued, { ...decided, awaits: null, projectId }, { state, now });
  const outcome =
    target.kind === 'customer_deleted'
      ? {
          kind: 'customer_deleted' as const,
          customerId: target.customerId,
          deletedAt: event.created,
          events: [row],
        }
      : { kind: 'none' as const, events: [row] };
  const result = { status: row.status, reason: row.reason };
  const { erasureMark } = state;
  return { ...emptyPlan, outcome, results: new Map([...results, [event.id, result]]), erasureMark };
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

/** No keys: nothing is read. */
export const noKeys: StateKeys = {
  eventIds: [],
  subscriptionIds: [],
  purchaseIds: [],
  customerIds: [],
  priceIds: [],
  userIds: [],
  projectIds: [],
};

const present = (values: readonly (string | null | undefined)[]): string[] =>
  values.filter((value) => value !== null && value !== undefined);

type Ownable = { customerId: string | null; claims: Claims };
type Priced = { items: readonly SoldItem[] };

/** What finding the owners of objects takes. */
export const ownerKeys = (objects: readonly Ownable[]) => ({
  customerIds: present(objects.map((one) => one.customerId)),
  userIds: present(objects.map((one) => one.claims.userId)),
  projectIds: present(objects.map((one) => one.claims.projectId)),
});

/** All that must be read to decide subscriptions that Stripe listed or was asked for. */
export const subscriptionKeys = (snapshots: readonly ({ id: string } & Ownable & Priced)[]): StateKeys => ({
  ...noKeys,
  ...ownerKeys(snapshots),
  subscriptionIds: snapshots.map(({ id }) => id),
  ...itemKeys(snapshots.flatMap(({ items }) => items)),
});

/** All that must be read before groups of events can be decided. */
export function groupKeys(groups: readonly EventGroup[], lookups: readonly GroupLookup[] = []): StateKeys {
  const events = groups.flatMap((group) => group.events);
  const targets = events.map(({ target }) => target);
  const changes = targets.flatMap((target) => (target.kind === 'subscription' ? [target.change] : []));
  const payments = targets.flatMap((target) => (target.kind === 'purchase' ? [target.change] : []));
  const subscriptions = lookups.flatMap((one) =>
    one.kind === 'subscription' && one.lookup.kind === 'found' ? [one.lookup.object] : [],
  );
  const details = lookups.flatMap((one) =>
    one.kind === 'purchase' && one.lookup.kind === 'found' ? [one.lookup.object] : [],
  );
  const snapshots = [
    ...changes.flatMap((one) => (one.kind === 'snapshot' ? [one.snapshot] : [])),
    ...subscriptions,
  ];
  const mentions = changes.flatMap((one) => (one.kind === 'mention' ? [one.mention] : []));
  const owners = ownerKeys([...snapshots, ...mentions, ...payments]);
  const named = events.flatMap(({ payload }) => namedUsers(payload));
  const sold = itemKeys([
    ...snapshots.flatMap(({ items }) => items),
    ...payments.flatMap((one) => one.sold ?? []),
    ...details.flatMap(soldByDetails),
  ]);
  return {
    ...owners,
    userIds: [...new Set([...owners.userIds, ...named.map((one) => one.userId)])],
    projectIds: [...new Set([...owners.projectIds, ...present(named.map((one) => one.projectId))])],
    eventIds: events.map(({ event }) => event.id),
    subscriptionIds: targets.flatMap((target) => (target.kind === 'subscription' ? [target.id] : [])),
    purchaseIds: targets.flatMap((target) => (target.kind === 'purchase' ? [target.id] : [])),
    customerIds: [...owners.customerIds, ...present(events.map(({ event }) => event.customerId))],
    priceIds: [...sold.priceIds, ...present(payments.map((one) => one.priceId))],
    productIds: sold.productIds,
    relatedIds: [...present(payments.map((one) => one.invoiceId)), ...details.flatMap(relatedIdsOfDetails)],
  };
}
