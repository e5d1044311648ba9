import type {
  Instant,
  PaymentDetails,
  PaymentQuery,
  StripeLookup,
  SubscriptionSnapshot,
} from '@billing/domain';
import type { EventState } from '@billing/store';
import type { SyncDeps } from '../deps.ts';
import { lookupPayment } from '../stripe/lookup-payment.ts';
import { lookupSubscription } from '../stripe/lookup-subscription.ts';
import { decideObject, splitKnown, toLedger } from './decide-object.ts';
import type { Decision } from './decide-object.ts';
import { purchaseKind, subscriptionKind } from './object-kinds.ts';
import { emptyPlan } from './plan-write.ts';
import type { QueuedEvent } from './target.ts';

/** The waiting events of one object. */
export type Group = { key: string; events: readonly [QueuedEvent, ...QueuedEvent[]] };

/** Stripe's answer about a group's object, and the version of the row before Stripe was asked. */
export type GroupLookup = { rowVersion: number } & (
  | { kind: 'subscription'; lookup: StripeLookup<SubscriptionSnapshot> }
  | { kind: 'purchase'; lookup: StripeLookup<PaymentDetails> }
);

/** The version of the stored row of a group's object; 0: not stored yet. */
export function rowVersionOf({ events: [{ target }] }: Group, state: EventState): number {
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

/** Decides a group by the kind of its object. Pure. */
export function decideGroup(
  { events }: Group,
  { state, found, now }: { state: EventState; found: GroupLookup | null; now: Instant },
): Decision {
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
