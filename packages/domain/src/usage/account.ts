import type { Instant } from '../time.ts';
import { bucketTermsAt } from './bucket-terms.ts';
import { bucketsOf } from './buckets.ts';
import type { Bucket } from './buckets.ts';
import { combineLimits } from './combine-limits.ts';
import type { CombinedLimit } from './combine-limits.ts';
import type { BucketTerms } from './terms.ts';
import { isEntitled } from './usage-sources.ts';
import type { UsageInput } from './usage-sources.ts';
import type { UsageState } from './usage-state.ts';

/** What the user's sources offer of a feature now. Derived once for all decisions of a batch. */
export type UsageOffer = {
  input: UsageInput;
  isEntitled: boolean;
  /** Of a metered feature. */
  terms: readonly BucketTerms[];
  /** Of a limit; null: the user does not have it, or the feature is none. */
  limit: CombinedLimit | null;
};

export const deriveUsage = (input: UsageInput): UsageOffer => ({
  input,
  isEntitled: isEntitled(input),
  terms: input.feature.kind === 'metered' ? bucketTermsAt(input, input.now) : [],
  limit: input.feature.kind === 'limit' ? combineLimits(input) : null,
});

/** One user and feature: what is offered and what was used. */
export type Account = {
  userId: string;
  offer: UsageOffer;
  state: UsageState;
  /** The buckets in force, as a decision left them with its state; absent: not computed. */
  computed?: { of: UsageState; buckets: Bucket[] };
};

/** The buckets in force, in the order in which they are burnt. */
export const currentBuckets = ({ offer, state, computed }: Account): Bucket[] =>
  computed?.of === state ? computed.buckets : bucketsOf(offer.terms, state, offer.input.now);

/** A paid period that was used is taken as it was, where it is not the one that is known now. */
function asItWas(terms: BucketTerms, at: Instant, { buckets }: UsageState): BucketTerms {
  if (terms.rule.kind !== 'billing') return terms;
  const used = buckets.find(
    (one) =>
      one.sourceId === terms.sourceId &&
      one.period === terms.period &&
      one.source === terms.source &&
      one.start <= at &&
      one.end !== null &&
      at < one.end,
  );
  return used === undefined ? terms : { ...terms, start: used.start, end: used.end, endsAt: used.end };
}

/** The terms that usage of a moment counts for: those of its own time if a source of it still is known. */
export function termsOf({ offer, state }: Account, at: Instant): readonly BucketTerms[] {
  const { input, terms } = offer;
  if (at >= input.now) return terms;
  const then = bucketTermsAt(input, at).map((one) => asItWas(one, at, state));
  return then.length === 0 ? terms : then;
}
