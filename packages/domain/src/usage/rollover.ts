import type { Instant } from '../time.ts';
import { sumOf } from './amounts.ts';
import { periodBefore } from './period-rule.ts';
import { nextPeriod } from './periods.ts';
import type { Period } from './periods.ts';
import type { BucketTerms } from './terms.ts';
import { newBucketState } from './usage-state.ts';
import type { BucketState, Layer } from './usage-state.ts';

/** A bucket as what it leaves depends on it. */
type Spent = Pick<BucketState, 'start' | 'allowance' | 'rolled' | 'used' | 'overage' | 'held'>;

/** What is left of a bucket, oldest first: what was rolled over into it is burnt before its own allowance. */
function leftOf({ start, allowance, rolled, used, overage, held }: Spent): Layer[] {
  let spent = used - overage + held;
  const layers = [...rolled, { from: start, amount: allowance ?? 0 }];
  return layers.map(({ from, amount }) => {
    const burnt = Math.min(amount, Math.max(0, spent));
    spent -= burnt;
    return { from, amount: amount - burnt };
  });
}

/** At most `max` in all, of which the youngest stay, as they last longest. */
function capped(layers: readonly Layer[], max: number | null): Layer[] {
  let room = max ?? Number.POSITIVE_INFINITY;
  return layers
    .toReversed()
    .flatMap(({ from, amount }) => {
      const kept = Math.min(room, amount);
      room -= kept;
      return kept > 0 ? [{ from, amount: kept }] : [];
    })
    .toReversed();
}

/** A bucket before another one: as it was used, or (not used) as today's settings say. */
type Before = { period: Period; state: BucketState | undefined };

/**
 * The bucket before the one that begins at `start`. Paid periods that were used are taken as they were; where one was
 * cut short (its end lies behind the start: an anchor was reset) its price was credited, and it leaves nothing.
 */
function bucketBefore(
  terms: BucketTerms,
  { start, end }: Period,
  states: readonly BucketState[],
): Before | null {
  const period = periodBefore(terms.rule, { start, end });
  if (period === null) return null;
  const chain = states.filter(
    (one) => one.sourceId === terms.sourceId && one.period === terms.period && one.source === terms.source,
  );
  const isOf = (one: BucketState): boolean =>
    terms.rule.kind === 'billing'
      ? one.start < start && (one.start >= period.start || one.end === null || one.end > period.start)
      : one.start === period.start;
  const state = chain
    .filter(isOf)
    .toSorted((a, b) => a.start - b.start)
    .at(-1);
  return { period: state === undefined ? period : { start: state.start, end: state.end }, state };
}

const isCutShort = ({ rule }: BucketTerms, { period }: Before, start: Instant): boolean =>
  rule.kind === 'billing' && period.end !== null && period.end > start;

/**
 * What is rolled over into the bucket that begins at `period.start`, oldest first. What a used bucket was worth is kept
 * with it; one that was not used is worth today's allowance, from the source's start (or the first period heard) on.
 */
export function rolledInto(
  terms: BucketTerms,
  period: Period,
  states: readonly BucketState[],
  depth = terms.rollover?.periods ?? 0,
): Layer[] {
  const { rollover, knownFrom } = terms;
  if (rollover === null || depth === 0) return [];
  const before = bucketBefore(terms, period, states);
  if (before === null || isCutShort(terms, before, period.start)) return [];
  const { state } = before;
  if (state === undefined && (before.period.end ?? 0) <= knownFrom) return [];
  const spent = state ?? {
    start: before.period.start,
    allowance: terms.allowance,
    rolled: rolledInto(terms, before.period, states, depth - 1),
    used: 0,
    overage: 0,
    held: 0,
  };
  const starts = oldestStart(terms, period, states);
  return capped(
    leftOf(spent).filter(({ from }) => from >= starts),
    rollover.max,
  );
}

/** The start of the period whose rest may still be used in the one that begins at `period.start`. */
function oldestStart(terms: BucketTerms, period: Period, states: readonly BucketState[]): Instant {
  let oldest: Period = period;
  for (let step = 0; step < (terms.rollover?.periods ?? 0); step += 1) {
    const before = bucketBefore(terms, oldest, states);
    if (before === null) break;
    oldest = before.period;
  }
  return oldest.start;
}

export const amountOf = (layers: readonly Layer[]): number => sumOf(layers.map(({ amount }) => amount));

/** What of a bucket's rest the next period gets, if nothing more is used. */
export function carriedOver(terms: BucketTerms, spent: Spent, states: readonly BucketState[]): number {
  if (terms.rollover === null || !terms.renews || terms.end === null) return 0;
  const next = nextPeriod({ start: terms.start, end: terms.end });
  const oldest = oldestStart(terms, next, states);
  return amountOf(
    capped(
      leftOf(spent).filter(({ from }) => from >= oldest),
      terms.rollover.max,
    ),
  );
}

/** The bucket before, as it is kept when its successor is first used; null: it is kept already, or gave nothing. */
export function unkeptBefore(terms: BucketTerms, states: readonly BucketState[]): BucketState | null {
  const { rollover, knownFrom } = terms;
  const before = rollover === null ? null : bucketBefore(terms, terms, states);
  if (before === null || rollover === null || before.state !== undefined) return null;
  if ((before.period.end ?? 0) <= knownFrom) return null;
  return {
    ...newBucketState({ ...terms, start: before.period.start }),
    end: before.period.end,
    allowance: terms.allowance,
    rolled: rolledInto(terms, before.period, states, rollover.periods - 1),
  };
}

/** Whether what a bucket left may still be used in the period of the terms, or the bucket may yet be one's own. */
export const isInWindow = (
  terms: BucketTerms,
  bucket: BucketState,
  states: readonly BucketState[],
): boolean =>
  terms.sourceId === bucket.sourceId &&
  terms.period === bucket.period &&
  terms.source === bucket.source &&
  bucket.start >= oldestStart(terms, terms, states);
