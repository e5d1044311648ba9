import type { Instant } from '../time.ts';

/** What a bucket is of, in the order in which ties are burnt. `none`: usage of a user who had no bucket. */
export const bucketSources = ['default', 'subscription', 'purchase', 'manual', 'none'] as const;
export type BucketSource = (typeof bucketSources)[number];

/** A bucket of one user and feature: what a source gives for one period. */
export type BucketRef = {
  source: BucketSource;
  sourceId: string;
  /** The rule of its periods (`month`, `month@Europe/Berlin`): another rule makes other buckets. */
  period: string;
  start: Instant;
};

/** What an event took from one bucket; negative: gave back. `overage` is the part that no allowance covered. */
export type Part = BucketRef & { quantity: number; overage: number };

/** What an earlier period left: its start, and how much. */
export type Layer = { from: Instant; amount: number };

/** A bucket that was used, as it is stored: usage, and what the bucket was worth when it was last used. */
export type BucketState = BucketRef & {
  end: Instant | null;
  /** Of its own period; null: unlimited. */
  allowance: number | null;
  /** What was rolled over into it. */
  rolled: readonly Layer[];
  /** All that was recorded, overage included. */
  used: number;
  overage: number;
  held: number;
  /** Thresholds that were told, in percent. */
  reached: readonly number[];
  isLimitReached: boolean;
};

/** All that is stored of one user and feature, without events and reservations. */
export type UsageState = {
  /** Grows by one with everything that changes the state. */
  usageSeq: number;
  buckets: readonly BucketState[];
  /** Of a counted limit. */
  level: number;
  /** `observed_at` of the last level that was set. */
  levelObservedAt: Instant | null;
  openHolds: number;
  /** No open reservation expires before; null: none is open. */
  holdsDueAt: Instant | null;
};

export const emptyUsageState: UsageState = {
  usageSeq: 0,
  buckets: [],
  level: 0,
  levelObservedAt: null,
  openHolds: 0,
  holdsDueAt: null,
};

/** Where usage is kept that no bucket was there for. */
export const noBucket: BucketRef = { source: 'none', sourceId: '', period: 'once', start: 0 };

/** One text for each bucket of a user and feature: ids may hold spaces, what is before them holds none. */
export const bucketKey = ({ source, sourceId, period, start }: BucketRef): string =>
  `${source} ${period} ${start} ${sourceId}`;

export const newBucketState = ({ source, sourceId, period, start }: BucketRef): BucketState => ({
  source,
  sourceId,
  period,
  start,
  end: null,
  allowance: 0,
  rolled: [],
  used: 0,
  overage: 0,
  held: 0,
  reached: [],
  isLimitReached: false,
});

export const isSameBucket = (a: BucketRef, b: BucketRef): boolean =>
  a.start === b.start && a.sourceId === b.sourceId && a.period === b.period && a.source === b.source;

export const findBucket = <One extends BucketRef>(buckets: readonly One[], ref: BucketRef): One | undefined =>
  buckets.find((one) => isSameBucket(one, ref));

/** Replaces the bucket, or makes it. */
export function changeBucket(
  buckets: readonly BucketState[],
  ref: BucketRef,
  change: (bucket: BucketState) => BucketState,
): readonly BucketState[] {
  const known = findBucket(buckets, ref);
  if (known === undefined) return [...buckets, change(newBucketState(ref))];
  return buckets.map((one) => (one === known ? change(one) : one));
}

/** The buckets after the parts were taken (or, negative ones, given back). */
export const addUsed = (buckets: readonly BucketState[], parts: readonly Part[]): readonly BucketState[] =>
  parts.reduce(
    (all, part) =>
      changeBucket(all, part, (one) => ({
        ...one,
        used: one.used + part.quantity,
        overage: one.overage + part.overage,
      })),
    buckets,
  );

/** The buckets after the parts were held (`sign` 1) or released (−1). */
export const addHeld = (
  buckets: readonly BucketState[],
  parts: readonly Part[],
  sign: 1 | -1,
): readonly BucketState[] =>
  parts.reduce(
    (all, part) => changeBucket(all, part, (one) => ({ ...one, held: one.held + sign * part.quantity })),
    buckets,
  );
