import type { SubscriptionSnapshot } from '../stripe/subscription.ts';
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

const noRead = { pastDueReadSince: null, pastDueReadAt: null } as const;

/** How far our clock may lag behind Stripe's. */
const clockSkewMs = 60_000;

/** Whether the moment may lie before the read that recorded `past_due`; a test clock may run ahead of the read's. */
const mayPrecedeRead = ({ pastDueReadAt }: SubscriptionRow, at: Instant): boolean =>
  pastDueReadAt === null || at <= pastDueReadAt + clockSkewMs;

/** Whether a read saw the subscription past due, and no snapshot with another status is later than that read. */
const hasRead = (row: SubscriptionRow): boolean =>
  row.pastDueReadSince !== null &&
  (row.otherStatusSeenAt === null || mayPrecedeRead(row, row.otherStatusSeenAt));

/**
 * What a first read takes for the start: the due date of the invoice that waits to be paid (`send_invoice`), else its
 * `created`. A start that is known already (rows of older versions have no read recorded) stays while its invoice is not
 * the one that Stripe names now.
 */
function startOf(
  row: SubscriptionRow,
  snapshot: SubscriptionSnapshot,
  { fallback, readAt }: { fallback: Instant; readAt: Instant | null },
): Instant {
  const isKnown = row.status === 'past_due' && row.pastDueSeenAt.length === 0;
  if (isKnown && row.pastDueSince !== null && row.latestInvoiceId !== snapshot.latestInvoiceId)
    return row.pastDueSince;
  const { latestInvoiceDueAt, latestInvoiceCreatedAt } = snapshot;
  // An invoice that is not due yet is a later one than that which was not paid.
  const isDue = latestInvoiceDueAt !== null && (readAt === null || latestInvoiceDueAt <= readAt);
  return (isDue ? latestInvoiceDueAt : latestInvoiceCreatedAt) ?? fallback;
}

/**
 * Records that Stripe was asked at `now` and called the subscription past due: since when, by the first such read of a
 * run, which later ones do not move. `asOf`: the newest event that the answer is at least as new as.
 */
export function noteRead(
  row: SubscriptionRow,
  snapshot: SubscriptionSnapshot,
  { asOf, now }: { asOf: Instant | null; now: Instant },
): SubscriptionRow {
  if (snapshot.status !== 'past_due' || hasRead(row)) return row;
  const periodStarts = snapshot.items.map((item) => item.currentPeriodStart ?? 0);
  const provenAt = Math.max(asOf ?? 0, snapshot.latestInvoiceCreatedAt ?? 0, ...periodStarts);
  const readAt = provenAt > now ? null : now;
  return {
    ...row,
    pastDueReadAt: readAt,
    pastDueReadSince: startOf(row, snapshot, { fallback: asOf ?? now, readAt }),
  };
}

/**
 * Since when a subscription is past due: the first `past_due` snapshot after the last one with another status. One that
 * is later than a read which already saw `past_due` is not the first: then, and where none is known (or all are of one
 * second), the start that the first read recorded counts.
 */
export function withPastDueSince(row: SubscriptionRow): SubscriptionRow {
  if (row.status !== 'past_due') return { ...row, ...noRead, pastDueSince: null };
  const [first = null] = row.pastDueSeenAt;
  if (!hasRead(row))
    return {
      ...row,
      ...noRead,
      pastDueSince: first ?? row.latestInvoiceCreatedAt ?? row.snapshotAt,
    };
  const isFirst = first !== null && mayPrecedeRead(row, first);
  return { ...row, pastDueSince: isFirst ? first : row.pastDueReadSince };
}
