import { sumOf } from './amounts.ts';
import type { Account } from './account.ts';
import { isUnlimited, overageBucket, overagePart, overageRoomOf, takeFree } from './buckets.ts';
import type { Bucket } from './buckets.ts';
import { refusal } from './commands.ts';
import type { UsageReason } from './reasons.ts';
import { addUsed, findBucket, newBucketState, noBucket } from './usage-state.ts';
import type { BucketState, Part } from './usage-state.ts';

/** What `enforce` says of a quantity, and from where it would be taken (nothing where it is refused). */
export type Assessment = { reason: UsageReason; parts: readonly Part[] };

const overageOf = (buckets: readonly Bucket[], quantity: number): Part[] =>
  quantity > 0 ? [overagePart(overageBucket(buckets) ?? noBucket, quantity)] : [];

/** All or nothing: what is free first, then overage as far as it is allowed. */
export function assessTake({ offer }: Account, buckets: readonly Bucket[], quantity: number): Assessment {
  if (!offer.isEntitled) return { reason: 'not_entitled', parts: [] };
  const { parts, missing } = takeFree(buckets, quantity);
  if (isUnlimited(buckets)) return { reason: 'unlimited', parts };
  if (missing === 0) return { reason: 'within_allowance', parts };
  if (missing > overageRoomOf(buckets)) return { reason: 'insufficient_balance', parts: [] };
  return { reason: 'overage_allowed', parts: [...parts, ...overageOf(buckets, missing)] };
}

/** It happened: what is not free is overage, allowed or not. `uncovered`: what is not allowed of it. */
export function takeAnyway(
  buckets: readonly Bucket[],
  quantity: number,
): { parts: Part[]; uncovered: number } {
  const { parts, missing } = takeFree(buckets, quantity);
  const uncovered = Math.max(0, missing - overageRoomOf(buckets));
  return { parts: [...parts, ...overageOf(buckets, missing)], uncovered };
}

/** Of a limit: whether the level may rise by so much; of one that is not counted, whether it is that great. */
export function assessLevel({ offer, state }: Account, quantity: number): UsageReason {
  const { limit, input } = offer;
  if (limit === null) return 'not_entitled';
  if (limit.limit === null) return 'unlimited';
  const level = input.feature.counted ? state.level : 0;
  return quantity <= 0 || level + quantity <= limit.limit ? 'within_limit' : 'limit_reached';
}

export type GivenBack = { parts: Part[]; missing: number };

/**
 * What to give back of parts that were taken in this order: overage first, then what was taken last. `skipped` was given
 * back before. The parts are negative.
 */
export function giveBack(taken: readonly Part[], quantity: number, skipped = 0): GivenBack {
  const inOrder = [
    ...taken.filter((part) => part.overage > 0).toReversed(),
    ...taken.filter((part) => part.overage === 0).toReversed(),
  ];
  let [toSkip, missing] = [skipped, quantity];
  const parts = inOrder.flatMap((part) => {
    const left = part.quantity - Math.min(part.quantity, toSkip);
    toSkip -= part.quantity - left;
    const given = Math.min(left, missing);
    missing -= given;
    if (given === 0) return [];
    return [{ ...part, quantity: -given, overage: part.overage > 0 ? -given : 0 }];
  });
  return { parts, missing };
}

/** The first so many of the parts, as they were taken. */
export function firstOf(taken: readonly Part[], quantity: number): Part[] {
  let missing = quantity;
  return taken.flatMap((part) => {
    const kept = Math.min(part.quantity, missing);
    missing -= kept;
    return kept === 0 ? [] : [{ ...part, quantity: kept, overage: part.overage > 0 ? kept : 0 }];
  });
}

export const quantityOf = (parts: readonly Part[]): number => sumOf(parts.map((part) => part.quantity));

/**
 * Parts to give back as far as their buckets still have them: an operator may have given back before what an event
 * took. What is no overage any more is given back as plain usage. Null: a bucket has not so much left.
 */
export function ifLeft(buckets: readonly BucketState[], parts: readonly Part[]): Part[] | null {
  let left = buckets;
  const given: Part[] = [];
  for (const part of parts) {
    const { used, overage } = findBucket(left, part) ?? newBucketState(part);
    const ofOverage = Math.min(-part.overage, overage);
    const isMore = used < -part.quantity || used - overage < -part.quantity - ofOverage;
    if (isMore) return null;
    const one = { ...part, overage: ofOverage === 0 ? 0 : -ofOverage };
    given.push(one);
    left = addUsed(left, [one]);
  }
  return given;
}

export const givenBackBefore = refusal(
  'correction_too_large',
  'An adjustment gave back what the event took: there is not so much left.',
);
