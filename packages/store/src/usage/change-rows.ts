import { hasStripeMeter, hourMs, hourOf, slotsOf, toTimestamp, toTimestampOrNull } from '@billing/domain';
import type { BucketState, Instant, UsageChange } from '@billing/domain';
import type { AccountKey } from './account-key.ts';

/** What became of one account. `ended`: its ended buckets, where they were read. */
export type AccountChange = AccountKey & { change: UsageChange; ended: readonly BucketState[] };

export const keyOf = ({ projectId, userId, featureCode }: AccountKey) => ({
  project_id: projectId,
  user_id: userId,
  feature_code: featureCode,
});

export const slotRows = (one: AccountChange) =>
  slotsOf(one.change.events).map(({ start, quantity, overage }) => ({
    ...keyOf(one),
    start: toTimestamp(start),
    quantity,
    overage,
  }));

/** The hours that a meter of Stripe is to be told of. */
export function meterRows(one: AccountChange, now: Instant) {
  const { events, account: after } = one.change;
  if (events.length === 0 || !hasStripeMeter(after.offer.input)) return [];
  return [...new Set(events.map(({ at }) => hourOf(at)))].map((hour) => ({
    ...keyOf(one),
    hour: toTimestamp(hour),
    due_at: toTimestamp(Math.max(hour + hourMs, now)),
  }));
}

export const crossingRows = (one: AccountChange) =>
  one.change.crossings.map((crossing, position) => ({
    ...keyOf(one),
    usage_seq: crossing.usageSeq,
    position,
    threshold: crossing.threshold,
    used: crossing.used,
    granted: crossing.granted,
    source: crossing.source,
    source_id: crossing.sourceId,
    period_start: toTimestampOrNull(crossing.periodStart),
    period_end: toTimestampOrNull(crossing.periodEnd),
  }));
