import { isTerminal, saysTheSame } from './subscription-row.ts';
import type { Incoming, SubscriptionRow } from './subscription-row.ts';

export type SnapshotDecision = 'apply' | 'stale' | 'needs_lookup';

/**
 * Whether an event's snapshot replaces what is known. `created` has seconds only, and delivery has no
 * order: newer applies, older is stale, and a tie is settled by lookup the subscription from Stripe.
 * The end of a subscription is final, whatever its `created`.
 */
export function decideSnapshot(row: SubscriptionRow, { snapshot, created }: Incoming): SnapshotDecision {
  if (row.status === null || row.snapshotAt === null)
    return fresh(snapshot.areItemsComplete, snapshot.status);
  const ended = isTerminal(row.status);
  const ends = isTerminal(snapshot.status);
  if (ended && !ends) return 'stale';
  if (ends && !ended) return 'apply';
  if (created > row.snapshotAt) return fresh(snapshot.areItemsComplete, snapshot.status);
  if (created < row.snapshotAt) return 'stale';
  const isSettled = row.confirmed || row.missingInStripeAt !== null;
  return isSettled && saysTheSame(row, snapshot) ? 'stale' : 'needs_lookup';
}

/** A rendering without all its items can't be applied as it is, unless the subscription ends with it. */
function fresh(areItemsComplete: boolean, status: Incoming['snapshot']['status']): SnapshotDecision {
  return areItemsComplete || isTerminal(status) ? 'apply' : 'needs_lookup';
}
