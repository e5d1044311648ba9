import type { Instant } from '../time.ts';
import type { Incoming, SubscriptionRow } from './subscription-row.ts';

/**
 * Far more than one run of failed payments makes. The oldest decides since when; the newest are left after a
 * late event with another status.
 */
const keptEachSide = 32;

function bounded(moments: Instant[]): Instant[] {
  if (moments.length <= 2 * keptEachSide) return moments;
  return [...moments.slice(0, keptEachSide), ...moments.slice(-keptEachSide)];
}

/**
 * Records when snapshots were `past_due` and when they were not. Stale snapshots count as well, so that the
 * order of arrival does not matter.
 */
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

/** Stripe lists the subscription with another status: the `past_due` that was recorded is over. */
export const endPastDue = (row: SubscriptionRow): SubscriptionRow =>
  row.pastDueSeenAt.length === 0
    ? row
    : {
        ...row,
        otherStatusSeenAt: Math.max(row.otherStatusSeenAt ?? 0, ...row.pastDueSeenAt),
        pastDueSeenAt: [],
      };

/**
 * Since when a subscription is past due: the first `past_due` snapshot after the last one with another status.
 * Where none is recorded (or all are of one second), the latest invoice's `created`.
 */
export function withPastDueSince(row: SubscriptionRow): SubscriptionRow {
  if (row.status !== 'past_due') return { ...row, pastDueSince: null };
  const [first] = row.pastDueSeenAt;
  return { ...row, pastDueSince: first ?? row.latestInvoiceCreatedAt ?? row.snapshotAt };
}
