import type { BalanceOut, UsageBucketOut } from '../contracts/usage.ts';
import { earliest, toTimestamp, toTimestampOrNull } from '../time.ts';
import type { Instant } from '../time.ts';
import { currentBuckets } from './account.ts';
import type { Account } from './account.ts';
import { sumOf, sumOrUnlimited } from './amounts.ts';
import { isUnlimited, overageLimitOf } from './buckets.ts';
import type { Bucket } from './buckets.ts';
import { carriedOver } from './rollover.ts';
import { findBucket, noBucket } from './usage-state.ts';
import type { BucketState } from './usage-state.ts';

const nothing: BalanceOut = {
  granted: 0,
  used: 0,
  held: 0,
  remaining: 0,
  overage: 0,
  overage_limit: 0,
  unlimited: false,
  resets_at: null,
  next_expiry: null,
  buckets: [],
};

/** What is free in all; null: without limit. */
export const remainingOf = (buckets: readonly Bucket[]): number | null =>
  isUnlimited(buckets) ? null : sumOf(buckets.map((one) => one.free));

const toBucketOut = (bucket: Bucket): UsageBucketOut => ({
  source: bucket.source,
  source_id: bucket.sourceId,
  period_start: toTimestamp(bucket.start),
  period_end: toTimestampOrNull(bucket.terms.end),
  granted: bucket.granted,
  rolled_over: bucket.rolledOver,
  used: bucket.used,
  held: bucket.held,
  remaining: bucket.granted === null ? null : bucket.free,
});

/** What is lost at the bucket's end, if nothing more is used. */
const lostAtEnd = (bucket: Bucket, states: readonly BucketState[]): number =>
  bucket.free - Math.min(bucket.free, carriedOver(bucket.terms, bucket, states));

/** The nearest end at which something is lost. */
function nextExpiryOf(buckets: readonly Bucket[], states: readonly BucketState[]): BalanceOut['next_expiry'] {
  const losses = new Map<Instant, number>();
  for (const bucket of buckets) {
    const { endsAt } = bucket.terms;
    if (endsAt === null || bucket.granted === null) continue;
    losses.set(endsAt, (losses.get(endsAt) ?? 0) + lostAtEnd(bucket, states));
  }
  const [next] = [...losses].filter(([, amount]) => amount > 0).sort(([a], [b]) => a - b);
  return next === undefined ? null : { at: toTimestamp(next[0]), amount: next[1] };
}

/** The nearest end of a period that another one follows. */
const resetsAtOf = (buckets: readonly Bucket[]): Instant | null =>
  buckets.reduce<Instant | null>(
    (nearest, { terms: { renews, end } }) => (renews ? earliest(nearest, end) : nearest),
    null,
  );

function meteredBalance({ offer, state }: Account, buckets: readonly Bucket[]): BalanceOut {
  // Without a bucket all that is known is what no allowance covered.
  const { used, held, overage } = findBucket(state.buckets, noBucket) ?? nothing;
  if (buckets.length === 0 && !offer.isEntitled) return { ...nothing, used, held, overage };
  return {
    granted: sumOrUnlimited(buckets.map((one) => one.granted)),
    used: sumOf(buckets.map((one) => one.used)),
    held: sumOf(buckets.map((one) => one.held)),
    remaining: remainingOf(buckets),
    overage: sumOf(buckets.map((one) => one.overage)),
    overage_limit: overageLimitOf(buckets),
    unlimited: isUnlimited(buckets),
    resets_at: toTimestampOrNull(resetsAtOf(buckets)),
    next_expiry: isUnlimited(buckets) ? null : nextExpiryOf(buckets, state.buckets),
    buckets: buckets.map(toBucketOut),
  };
}

/** Of a counted limit: what is granted is the limit, what is used the level. */
function levelBalance({ offer, state: { level } }: Account): BalanceOut {
  const granted = offer.limit === null ? 0 : offer.limit.limit;
  return {
    ...nothing,
    granted,
    used: level,
    remaining: granted === null ? null : Math.max(0, granted - level),
    overage: granted === null ? 0 : Math.max(0, level - granted),
    unlimited: granted === null,
  };
}

/** What the user has of a metered feature or counted limit. Null: the feature is neither. */
export function balanceOf(account: Account, buckets = currentBuckets(account)): BalanceOut | null {
  const { feature } = account.offer.input;
  if (feature.kind === 'metered') return meteredBalance(account, buckets);
  return feature.kind === 'limit' && feature.counted ? levelBalance(account) : null;
}
