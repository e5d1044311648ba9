import type { Account } from './account.ts';
import { bucketsOf } from './buckets.ts';
import type { Bucket } from './buckets.ts';
import type { Reservation } from './commands.ts';
import { levelCrossings, markBuckets } from './crossings.ts';
import type { Crossing } from './crossings.ts';
import { isInWindow, unkeptBefore } from './rollover.ts';
import type { BucketTerms } from './terms.ts';
import type { UsageEvent } from './usage-event.ts';
import { changeBucket, findBucket } from './usage-state.ts';
import type { BucketState, Part, UsageState } from './usage-state.ts';

/** All that one decision writes. */
export type UsageChange = {
  account: Account;
  events: readonly UsageEvent[];
  /** New ones, and known ones that changed. */
  reservations: readonly Reservation[];
  crossings: readonly Crossing[];
  /** Events of which so much more is corrected. */
  corrected: readonly { eventId: string; by: number }[];
  /** What was recorded although neither an allowance nor allowed overage covered it. */
  uncovered: number;
};

export const noChange = (account: Account): UsageChange => ({
  account,
  events: [],
  reservations: [],
  crossings: [],
  corrected: [],
  uncovered: 0,
});

/** One change after another of the same account. */
export const joinChanges = (first: UsageChange, then: UsageChange): UsageChange => ({
  account: then.account,
  events: [...first.events, ...then.events],
  reservations: [
    ...first.reservations.filter((one) =>
      then.reservations.every((other) => other.reservationId !== one.reservationId),
    ),
    ...then.reservations,
  ],
  crossings: [...first.crossings, ...then.crossings],
  corrected: [...first.corrected, ...then.corrected],
  uncovered: first.uncovered + then.uncovered,
});

/** Keeps what the used buckets are worth now, and what the ones before them were. */
function keepWorth(buckets: readonly BucketState[], worth: readonly Bucket[]): readonly BucketState[] {
  return worth.reduce((all, bucket) => {
    if (findBucket(all, bucket) === undefined) return all;
    const before = unkeptBefore(bucket.terms, all);
    const { allowance, rolled } = bucket;
    const { end } = bucket.terms;
    const kept = changeBucket(all, bucket, (one) => ({ ...one, end, allowance, rolled }));
    return before === null ? kept : [...kept, before];
  }, buckets);
}

/** Terms of the past that are none of the present. */
const pastTerms = (account: Account, terms: readonly BucketTerms[]): BucketTerms[] =>
  terms.filter((one) => findBucket(account.offer.terms, one) === undefined);

/**
 * The account after a change of its state: worth is kept, thresholds that were reached are marked. `parts` is what was
 * taken or held, `terms` whose buckets it came from where these are not the current ones.
 */
export function finishChange(
  before: Account,
  state: UsageState,
  { parts, terms }: { parts: readonly Part[]; terms?: readonly BucketTerms[] | undefined },
): Pick<UsageChange, 'account' | 'crossings'> {
  const { offer } = before;
  const { feature, now } = offer.input;
  if (feature.kind === 'limit')
    return { account: { ...before, state }, crossings: levelCrossings(before, state) };
  const past = terms === undefined || terms === offer.terms ? [] : pastTerms(before, terms);
  // A past bucket that this change made is worth what it was before, not 0.
  const seeded = keepWorth(state.buckets, bucketsOf(past, before.state, now));
  const current = bucketsOf(offer.terms, { ...state, buckets: seeded }, now);
  const worth = [...current, ...bucketsOf(past, { ...state, buckets: seeded }, now)];
  const kept = { ...state, buckets: keepWorth(seeded, worth) };
  const { buckets, crossings } = markBuckets(before, kept, { current, worth, parts });
  const after = { ...kept, buckets };
  const { userId } = before;
  return { account: { userId, offer, state: after, computed: { of: after, buckets: current } }, crossings };
}

/**
 * For so long after its end a bucket stays in the row: a process whose clock is behind, or that waited for the row's lock, still
 * takes from it, and must see what was taken.
 */
export const lingersMs = 5 * 60_000;

/**
 * Which buckets stay in the state's row and which have ended: these are kept beside it, as only late usage and
 * corrections need them. Those that something is held of, or whose rest may roll over, are live.
 */
export function splitBuckets({ offer, state }: Account): { live: BucketState[]; ended: BucketState[] } {
  const isLive = (bucket: BucketState): boolean =>
    bucket.end === null ||
    bucket.end > offer.input.now - lingersMs ||
    bucket.held !== 0 ||
    offer.terms.some((terms) => isInWindow(terms, bucket, state.buckets));
  return {
    live: state.buckets.filter(isLive),
    ended: state.buckets.filter((one) => !isLive(one)),
  };
}
