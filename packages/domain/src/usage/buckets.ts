import { compareTexts } from '../compare-texts.ts';
import type { Instant } from '../time.ts';
import { sumOf, sumOrUnlimited } from './amounts.ts';
import { amountOf, rolledInto } from './rollover.ts';
import type { BucketTerms } from './terms.ts';
import { bucketSources, findBucket } from './usage-state.ts';
import type { BucketRef, BucketState, Layer, Part, UsageState } from './usage-state.ts';

/** A bucket of the present (or of a moment in the past): what its source gives, and what was used of it. */
export type Bucket = BucketRef & {
  terms: BucketTerms;
  /** Of its own period; null: unlimited. */
  allowance: number | null;
  rolled: readonly Layer[];
  rolledOver: number;
  /** With what was rolled over; null: unlimited. */
  granted: number | null;
  used: number;
  overage: number;
  held: number;
  /** What can be taken before overage begins; infinite where unlimited. */
  free: number;
};

/** A bucket that ended is worth what was kept of it, another what today's settings say. */
function toBucket(terms: BucketTerms, states: readonly BucketState[], now: Instant): Bucket {
  const state = findBucket(states, terms);
  const hasEnded = terms.end !== null && terms.end <= now;
  const kept = hasEnded ? state : undefined;
  const allowance = kept === undefined ? terms.allowance : kept.allowance;
  const rolled = kept?.rolled ?? rolledInto(terms, terms, states);
  const rolledOver = terms.isWithheld || allowance === null ? 0 : amountOf(rolled);
  const granted = terms.isWithheld ? 0 : allowance === null ? null : allowance + rolledOver;
  const { used = 0, overage = 0, held = 0 } = state ?? {};
  const free = granted === null ? Number.POSITIVE_INFINITY : Math.max(0, granted - (used - overage) - held);
  const { source, sourceId, period, start } = terms;
  // Named one by one: spread, so many fields would make each bucket a slow object.
  return {
    source,
    sourceId,
    period,
    start,
    terms,
    allowance,
    rolled,
    rolledOver,
    granted,
    used,
    overage,
    held,
    free,
  };
}

const rankOf = (source: BucketRef['source']): number => bucketSources.indexOf(source);

/** What ends soonest is burnt first (no end last), the rest of the order is for ties. */
function compareEnds({ terms: a }: Bucket, { terms: b }: Bucket): number {
  if (a.endsAt === b.endsAt) return 0;
  return (a.endsAt ?? Number.POSITIVE_INFINITY) - (b.endsAt ?? Number.POSITIVE_INFINITY);
}

const compareTies = (a: Bucket, b: Bucket): number =>
  rankOf(a.source) - rankOf(b.source) ||
  a.terms.paidAt - b.terms.paidAt ||
  compareTexts(a.sourceId, b.sourceId) ||
  compareTexts(a.period, b.period) ||
  a.start - b.start;

/** The buckets with their usage, in the order in which they are burnt. */
export const bucketsOf = (terms: readonly BucketTerms[], { buckets }: UsageState, now: Instant): Bucket[] =>
  terms.map((one) => toBucket(one, buckets, now)).sort((a, b) => compareEnds(a, b) || compareTies(a, b));

const partOf = ({ source, sourceId, period, start }: BucketRef, quantity: number, overage = 0): Part => ({
  source,
  sourceId,
  period,
  start,
  quantity,
  overage,
});

/** Free amounts in the order of burning: of buckets that end together, what was rolled over goes first. */
function slicesOf(buckets: readonly Bucket[]): { bucket: Bucket; amount: number }[] {
  const slices = buckets.flatMap((bucket) => {
    const fresh = Math.min(bucket.free, (bucket.granted ?? 0) - bucket.rolledOver);
    return [
      { bucket, amount: bucket.free - fresh, isFresh: 0 },
      { bucket, amount: fresh, isFresh: 1 },
    ];
  });
  // Sorting is stable: within ties the buckets keep their order.
  return slices
    .filter(({ amount }) => amount > 0)
    .sort((a, b) => compareEnds(a.bucket, b.bucket) || a.isFresh - b.isFresh);
}

/** Takes at most the quantity from what is free. While a bucket is unlimited, no other burns. */
export function takeFree(buckets: readonly Bucket[], quantity: number): { parts: Part[]; missing: number } {
  const unlimited = buckets.find((one) => one.granted === null);
  if (unlimited !== undefined)
    return { parts: quantity > 0 ? [partOf(unlimited, quantity)] : [], missing: 0 };
  let missing = quantity;
  const parts = slicesOf(buckets).flatMap(({ bucket, amount }) => {
    const taken = Math.min(missing, amount);
    missing -= taken;
    return taken > 0 ? [partOf(bucket, taken)] : [];
  });
  return { parts, missing };
}

/** Where overage belongs: the last bucket that allows it, else the last. Undefined: there is none at all. */
export const overageBucket = (buckets: readonly Bucket[]): Bucket | undefined =>
  buckets.findLast((one) => one.terms.allowsOverage) ?? buckets.at(-1);

export const overagePart = (ref: BucketRef, quantity: number): Part => partOf(ref, quantity, quantity);

/** How much overage the buckets allow in all; 0 where none does, null: without limit. */
export const overageLimitOf = (buckets: readonly Bucket[]): number | null =>
  sumOrUnlimited(buckets.map((one) => one.terms.overageLimit));

/** By how much a bucket is used and held beyond its worth, or overage was taken from it. */
const excessOf = ({ granted, used, held, overage }: Bucket): number =>
  Math.max(overage, used + held - (granted ?? Number.POSITIVE_INFINITY), 0);

/**
 * How much overage may still be taken once nothing is free: so much that the buckets that allow it are not used and held
 * beyond their worth and their limits, also where a downgrade left them worth less than was used.
 */
export function overageRoomOf(buckets: readonly Bucket[]): number {
  const limit = overageLimitOf(buckets) ?? Number.POSITIVE_INFINITY;
  const taken = sumOf(buckets.filter((one) => one.terms.allowsOverage).map(excessOf));
  return Math.max(0, limit - taken);
}

export const isUnlimited = (buckets: readonly Bucket[]): boolean =>
  buckets.some((one) => one.granted === null);
