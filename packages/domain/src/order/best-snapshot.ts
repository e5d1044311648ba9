import type { SubscriptionStatus } from '../entitlements/sources.ts';
import type { ItemSnapshot } from '../stripe/subscription.ts';
import type { Incoming, SubscriptionRow } from './subscription-row.ts';

/** How far a status lies along a subscription's life. */
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
 * Which of two states of one second to keep while Stripe can't be asked: the one further along, then the
 * later period, then the greater event id. Any order of arrival keeps the same one.
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
