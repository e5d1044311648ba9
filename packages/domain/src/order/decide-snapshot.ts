import type { ItemSnapshot, SubscriptionStatus } from '../stripe/subscription.ts';
import { hasSameContent, isTerminal } from './subscription-row.ts';
import type { Incoming, SubscriptionRow } from './subscription-row.ts';

/** `needs_lookup`: only the subscription as Stripe has it now can decide. */
export type SnapshotDecision = 'apply' | 'stale' | 'needs_lookup';

/**
 * Whether an event's snapshot replaces the stored state. Stripe delivers in no order and `created` has whole
 * seconds, so a newer snapshot applies, an older one is stale, and a tie needs a lookup. Invariant "order does
 * not matter"; and "terminal absorbs": the end of a subscription is final, whatever its `created`.
 */
export function decideSnapshot(row: SubscriptionRow, { snapshot, created }: Incoming): SnapshotDecision {
  const decideNewer = (): SnapshotDecision =>
    // Without all its items a snapshot cannot be applied, unless it ends the subscription.
    snapshot.areItemsComplete || isTerminal(snapshot.status) ? 'apply' : 'needs_lookup';
  if (row.status === null || row.snapshotAt === null) return decideNewer();
  const hasEnded = isTerminal(row.status);
  const ends = isTerminal(snapshot.status);
  if (hasEnded !== ends) return ends ? 'apply' : 'stale';
  if (created !== row.snapshotAt) return created > row.snapshotAt ? decideNewer() : 'stale';
  // Stripe has no answer for an object that it does not have: it is not asked again.
  const needsNoLookup = row.confirmed || row.missingInStripeAt !== null;
  return needsNoLookup && hasSameContent(row, snapshot) ? 'stale' : 'needs_lookup';
}

/** How far a status is along a subscription's life (invariant "order does not matter": best snapshot). */
const rank: Record<SubscriptionStatus, number> = {
  incomplete: 0,
  trialing: 1,
  active: 2,
  past_due: 3,
  paused: 4,
  unpaid: 5,
  canceled: 6,
  incomplete_expired: 6,
};

const lastPeriodEnd = (items: readonly ItemSnapshot[]): number =>
  Math.max(0, ...items.map((item) => item.currentPeriodEnd ?? 0));

/**
 * Which of two states of one second to keep while Stripe cannot be asked: the status further along, then the
 * later period, then the greater event id. Every order of arrival keeps the same one.
 */
export function isBetterSnapshot({ snapshot, created, eventId }: Incoming, row: SubscriptionRow): boolean {
  if (row.status === null || row.snapshotAt === null) return true;
  if (created !== row.snapshotAt) return created > row.snapshotAt;
  const byRank = rank[snapshot.status] - rank[row.status];
  if (byRank !== 0) return byRank > 0;
  const byPeriod = lastPeriodEnd(snapshot.items) - lastPeriodEnd(row.items);
  if (byPeriod !== 0) return byPeriod > 0;
  return eventId > (row.snapshotEventId ?? '');
}
