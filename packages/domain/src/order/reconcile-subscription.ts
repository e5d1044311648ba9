import type { SubscriptionSnapshot } from '../stripe/subscription.ts';
import type { Instant } from '../time.ts';
import { endPastDue } from './past-due.ts';
import { applyLookup } from './step-subscription.ts';
import type { SubscriptionRow } from './subscription-row.ts';

/** A subscription as Stripe lists it, when it was created, and when Stripe was asked. */
export type ListedSubscription = { snapshot: SubscriptionSnapshot; createdAt: Instant; readAt: Instant };

/**
 * The latest moment that the listing itself proves to have passed. It uses the object's own clock: Stripe's
 * test clocks differ from ours and from each other.
 */
function provenAsOf({ snapshot, createdAt }: ListedSubscription): Instant {
  const { latestInvoiceCreatedAt, canceledAt, endedAt } = snapshot;
  return Math.max(createdAt, latestInvoiceCreatedAt ?? 0, canceledAt ?? 0, endedAt ?? 0);
}

/**
 * The row as Stripe lists the subscription (invariant "converges without webhooks"). Events from before the
 * moment that the listing proves are stale from now on.
 */
export function reconcileSubscription(row: SubscriptionRow, listed: ListedSubscription): SubscriptionRow {
  const asOf = provenAsOf(listed);
  const isLater = row.snapshotAt === null || asOf > row.snapshotAt;
  return applyLookup(
    listed.snapshot.status === 'past_due' ? row : endPastDue(row),
    listed.snapshot,
    isLater
      ? { at: asOf, eventId: null, now: listed.readAt }
      : { at: row.snapshotAt, eventId: row.snapshotEventId, now: listed.readAt },
  );
}
