import type {
  Instant,
  PaymentDetails,
  PaymentQuery,
  StripeLookup,
  SubscriptionSnapshot,
} from '@billing/domain';
import type { EventState, StateKeys } from '@billing/store';
import type { SyncDeps } from '../deps.ts';
import { lookupSubscription } from '../stripe/lookup-subscription.ts';
import { lookupPayment } from '../stripe/lookup-payment.ts';
import { decideObject, splitKnown, toLedger } from './decide-object.ts';
import type { Decision } from './decide-object.ts';
import { purchaseKind, subscriptionKind } from './object-kinds.ts';
import type { QueuedEvent } from './target.ts';

/** The waiting events of one object. */
export type Group = { key: string; events: readonly [QueuedEvent, ...QueuedEvent[]] };

/** What Stripe said of a group's object, and the rowVersion of the row before it was asked. */
export type GroupLookup = { rowVersion: number } & (
  | { kind: 'subscription'; lookup: StripeLookup<SubscriptionSnapshot> }
  | { kind: 'purchase'; lookup: StripeLookup<PaymentDetails> }
);

export function rowVersionOf({ events: [first] }: Group, state: EventState): number {
  const { target } = first;
  if (target.kind === 'subscription') return state.subscriptions.get(target.id)?.row.rowVersion ?? 0;
  return target.kind === 'purchase' ? (state.purchases.get(target.id)?.row.rowVersion ?? 0) : 0;
}

/** Asks Stripe for what deciding the group needs. */
export async function lookupForGroup(
  deps: SyncDeps,
  { events: [{ target }] }: Group,
  { rowVersion, query }: { rowVersion: number; query: PaymentQuery | null },
): Promise<GroupLookup> {
  if (target.kind === 'subscription')
    return { kind: 'subscription', rowVersion, lookup: await lookupSubscription(deps, target.id) };
  const lookup: StripeLookup<PaymentDetails> =
    query === null ? { kind: 'missing' } : await lookupPayment(deps, query);
  return { kind: 'purchase', rowVersion, lookup };
}

/** Decides a group by the kind of its object. */
export function decideGroup(
  { events }: Group,
  { state, read, now }: { state: EventState; read: GroupLookup | null; now: Instant },
): Decision {
  const [{ target }] = events;
  if (target.kind === 'subscription') {
    const lookup = read?.kind === 'subscription' ? read.lookup : null;
    return decideObject(subscriptionKind, { id: target.id, events, state, lookup, now });
  }
  if (target.kind === 'purchase') {
    const lookup = read?.kind === 'purchase' ? read.lookup : null;
    return decideObject(purchaseKind, { id: target.id, events, state, lookup, now });
  }
  return decideObjectless(events, { state, now });
}

/** Events that bear on no object of ours: a tombstone at most. */
function decideObjectless(
  events: readonly QueuedEvent[],
  { state, now }: { state: EventState; now: Instant },
): Decision {
  const { fresh, results } = splitKnown(events, state);
  const [queued] = fresh;
  const nothing = {
    kind: 'write',
    touched: [],
    awaited: null,
    awaitedNames: [],
    isContested: false,
  } as const;
  if (queued === undefined) return { ...nothing, outcome: null, results };
  const { target, event } = queued;
  const verdict =
    target.kind === 'none'
      ? { status: target.status, reason: target.reason }
      : { status: 'applied' as const, reason: null };
  const owner = event.customerId === null ? undefined : state.mappings.get(event.customerId);
  const row = toLedger(queued, { ...verdict, awaits: null, projectId: owner?.projectId ?? null }, now);
  const outcome =
    target.kind === 'customer_deleted'
      ? {
          kind: 'customer_deleted' as const,
          customerId: target.customerId,
          deletedAt: event.created,
          events: [row],
        }
      : { kind: 'none' as const, events: [row] };
  return { ...nothing, outcome, results: new Map([...results, [event.id, verdict]]) };
}

const present = (values: readonly (string | null | undefined)[]): string[] =>
  values.filter((value) => value !== null && value !== undefined);

/** All that must be read before the groups can be decided. */
export function keysOf(groups: readonly Group[], reads: readonly GroupLookup[] = []): StateKeys {
  const events = groups.flatMap((group) => group.events);
  const targets = events.map(({ target }) => target);
  const changes = targets.flatMap((target) => (target.kind === 'subscription' ? [target.change] : []));
  const news = targets.flatMap((target) => (target.kind === 'purchase' ? [target.news] : []));
  const found = reads.flatMap((read) =>
    read.kind === 'subscription' && read.lookup.kind === 'found' ? [read.lookup.object] : [],
  );
  const paid = reads.flatMap((read) =>
    read.kind === 'purchase' && read.lookup.kind === 'found' ? [read.lookup.object] : [],
  );
  const snapshots = [...changes.flatMap((one) => (one.kind === 'snapshot' ? [one.snapshot] : [])), ...found];
  const mentions = changes.flatMap((one) => (one.kind === 'mention' ? [one.mention] : []));
  const ownables = [...snapshots, ...mentions, ...news];
  return {
    eventIds: events.map(({ event }) => event.id),
    subscriptionIds: targets.flatMap((target) => (target.kind === 'subscription' ? [target.id] : [])),
    purchaseIds: targets.flatMap((target) => (target.kind === 'purchase' ? [target.id] : [])),
    customerIds: present([
      ...ownables.map((one) => one.customerId),
      ...events.map(({ event }) => event.customerId),
    ]),
    priceIds: present([
      ...snapshots.flatMap((one) => one.items.map((item) => item.stripePriceId)),
      ...news.map((one) => one.priceId),
      ...paid.flatMap((one) => (one.lineItems ?? []).map((item) => item.stripePriceId)),
    ]),
    userIds: present(ownables.map((one) => one.claims.userId)),
    projectIds: present(ownables.map((one) => one.claims.projectId)),
    invoiceIds: present([...news.map((one) => one.invoiceId), ...paid.map((one) => one.invoice?.id)]),
  };
}
