import type { Instant } from '../time.ts';
import { currentBuckets } from './account.ts';
import type { Account } from './account.ts';
import { remainingOf } from './balance.ts';
import type { Bucket } from './buckets.ts';
import { changeBucket, findBucket } from './usage-state.ts';
import type { BucketSource, BucketState, Part, UsageState } from './usage-state.ts';

/** A threshold (in percent; null: the limit) that a commit reached. */
export type Crossing = {
  threshold: number | null;
  used: number;
  granted: number;
  source: BucketSource;
  sourceId: string;
  /** Null, as the end: a counted limit has no period. */
  periodStart: Instant | null;
  periodEnd: Instant | null;
  usageSeq: number;
};

const crossingOf = (bucket: Bucket, threshold: number | null, usageSeq: number): Crossing => ({
  threshold,
  used: bucket.used,
  granted: bucket.granted ?? 0,
  source: bucket.source,
  sourceId: bucket.sourceId,
  periodStart: bucket.start,
  periodEnd: bucket.terms.end,
  usageSeq,
});

/** Thresholds of one bucket that `used` came to from below and that were not told before. */
function reachedOf(
  { granted, used }: Bucket,
  usedBefore: number,
  { thresholds, reached }: { thresholds: readonly number[]; reached: readonly number[] },
): number[] {
  if (granted === null || granted === 0) return [];
  return thresholds.filter((percent) => {
    const at = percent * granted;
    return usedBefore * 100 < at && used * 100 >= at && !reached.includes(percent);
  });
}

/** The bucket that was emptied last, if what remains of all has become nothing. */
function emptiedBy(before: Account, after: readonly Bucket[], parts: readonly Part[]): Bucket | undefined {
  const was = remainingOf(currentBuckets(before));
  if (was === 0 || remainingOf(after) !== 0) return undefined;
  const last = parts.findLast((part) => part.quantity > part.overage);
  return last === undefined ? undefined : findBucket(after, last);
}

type Marked = { buckets: readonly BucketState[]; crossings: Crossing[] };

/** Marks what was reached on the buckets, so that it is told once. */
export function markBuckets(
  before: Account,
  state: UsageState,
  { current, worth, parts }: { current: Bucket[]; worth: Bucket[]; parts: readonly Part[] },
): Marked {
  const { thresholds } = before.offer.input.feature;
  const crossings: Crossing[] = [];
  let { buckets } = state;
  for (const bucket of worth) {
    const stored = findBucket(buckets, bucket);
    if (stored === undefined) continue;
    const usedBefore = findBucket(before.state.buckets, bucket)?.used ?? 0;
    const reached = reachedOf(bucket, usedBefore, { thresholds, reached: stored.reached });
    crossings.push(...reached.map((percent) => crossingOf(bucket, percent, state.usageSeq)));
    if (reached.length > 0)
      buckets = changeBucket(buckets, bucket, (one) => ({ ...one, reached: [...one.reached, ...reached] }));
  }
  const emptied = emptiedBy(before, current, parts);
  if (emptied !== undefined && findBucket(buckets, emptied)?.isLimitReached === false) {
    crossings.push(crossingOf(emptied, null, state.usageSeq));
    buckets = changeBucket(buckets, emptied, (one) => ({ ...one, isLimitReached: true }));
  }
  return { buckets, crossings };
}

/** A counted limit has no buckets: each time that the level comes to a threshold from below is told. */
export function levelCrossings(
  { offer, state: { level: was } }: Account,
  { level, usageSeq }: UsageState,
): Crossing[] {
  const { limit, input } = offer;
  if (limit === null || limit.limit === null || limit.limit === 0) return [];
  const granted = limit.limit;
  const isReached = (percent: number) => was * 100 < percent * granted && level * 100 >= percent * granted;
  const common = { used: level, granted, source: limit.source, sourceId: limit.sourceId, usageSeq };
  const noPeriod = { periodStart: null, periodEnd: null };
  return [
    ...input.feature.thresholds.filter(isReached).map((threshold) => ({ ...common, ...noPeriod, threshold })),
    ...(isReached(100) ? [{ ...common, ...noPeriod, threshold: null }] : []),
  ];
}
