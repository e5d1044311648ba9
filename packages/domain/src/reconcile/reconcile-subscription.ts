import { applyLookup } from '../order/step-subscription.ts';
import type { SubscriptionRow } from '../order/subscription-row.ts';
import type { SubscriptionSnapshot } from '../stripe/subscription.ts';
import type { Instant } from '../time.ts';

/** A subscription as Stripe lists it now, and when it was made. */
export type ListedSubscription = { snapshot: SubscriptionSnapshot; createdAt: Instant };

/**
 * The latest moment that the listing itself proves to have passed. By the object's own clock: Stripe's test
 * clocks run apart from ours and from each other.
 */
export function provenAsOf({ snapshot, createdAt }: ListedSubscription): Instant {
  const { latestInvoiceCreatedAt, canceledAt, endedAt } = snapshot;
  return Math.max(createdAt, latestInvoiceCreatedAt ?? 0, canceledAt ?? 0, endedAt ?? 0);
}

/**
 * The row as Stripe's listing has it. Events that happened before what the listing proves are old news from
 * now on, should they still arrive; and a `past_due` that was seen is over, if Stripe no longer says so.
 */
export function reconcileSubscription(row: SubscriptionRow, listed: ListedSubscription): SubscriptionRow {
  const asOf = provenAsOf(listed);
  const isLater = row.snapshotAt === null || asOf > row.snapshotAt;
  const seen = isLater ? { at: asOf, eventId: null } : { at: row.snapshotAt, eventId: row.snapshotEventId };
  const isOver = listed.snapshot.status !== 'past_due' && row.pastDueSeenAt.length > 0;
  const settledRow = isOver
    ? {
        ...row,
        otherStatusSeenAt: Math.max(row.otherStatusSeenAt ?? 0, ...row.pastDueSeenAt),
        pastDueSeenAt: [],
      }
    : row;
  return applyLookup(settledRow, listed.snapshot, seen);
}
