import type { Instant } from '../time.ts';
import type { Incoming, SubscriptionRow } from './subscription-row.ts';

/** Far more than one spell of dunning makes; the oldest decides, the newest outlive a late other status. */
const KEPT_EACH_SIDE = 32;

function bounded(moments: Instant[]): Instant[] {
  if (moments.length <= 2 * KEPT_EACH_SIDE) return moments;
  return [...moments.slice(0, KEPT_EACH_SIDE), ...moments.slice(-KEPT_EACH_SIDE)];
}

/** Records what status a snapshot said and when, stale ones too, so that arrival order does not entitlementInputs. */
export function noteStatus(row: SubscriptionRow, { snapshot, created }: Incoming): SubscriptionRow {
  const isPastDue = snapshot.status === 'past_due';
  const seen = row.otherStatusSeenAt;
  const otherStatusSeenAt = isPastDue ? seen : Math.max(seen ?? created, created);
  const moments = new Set(isPastDue ? [...row.pastDueSeenAt, created] : row.pastDueSeenAt);
  const later = [...moments]
    .filter((at) => otherStatusSeenAt === null || at > otherStatusSeenAt)
    .sort((a, b) => a - b);
  return { ...row, otherStatusSeenAt, pastDueSeenAt: bounded(later) };
}

/**
 * Since when a subscription is past due: the first snapshot that said so after the last that did not; where
 * no event is recorded (or all fell into one second), the latest invoice's `created`.
 */
export function withPastDueSince(row: SubscriptionRow): SubscriptionRow {
  if (row.status !== 'past_due') return { ...row, pastDueSince: null };
  const [first] = row.pastDueSeenAt;
  return { ...row, pastDueSince: first ?? row.latestInvoiceCreatedAt ?? row.snapshotAt };
}
