import type { Instant } from '../time.ts';
import { sumOf, sumOrUnlimited } from './amounts.ts';
import type { BucketTerms } from './terms.ts';
import { bucketKey } from './usage-state.ts';

function groupBy<One>(all: readonly One[], keyOf: (one: One) => string): One[][] {
  const groups = new Map<string, One[]>();
  for (const one of all) {
    const key = keyOf(one);
    const known = groups.get(key);
    if (known === undefined) groups.set(key, [one]);
    else known.push(one);
  }
  return [...groups.values()];
}

function mergeRollover(all: readonly BucketTerms[]): BucketTerms['rollover'] {
  const rolling = all.flatMap((one) => one.rollover ?? []);
  if (rolling.length === 0) return null;
  const limits = rolling.flatMap((one) => one.max ?? []);
  return {
    periods: Math.max(...rolling.map((one) => one.periods)),
    max: limits.length < rolling.length ? null : sumOf(limits),
  };
}

/** Items of one purchase may end at different times: the bucket is there as long as one of them is. */
const lastEndOf = (items: readonly BucketTerms[]): Instant | null =>
  items.reduce<Instant | null>(
    (last, { endsAt }) => (last === null || endsAt === null ? null : Math.max(last, endsAt)),
    Number.NEGATIVE_INFINITY,
  );

/** Items of one period: their allowances are added, and their limits of overage. */
function mergeItems(items: readonly BucketTerms[]): BucketTerms[] {
  const [first] = items;
  if (first === undefined) return [];
  if (items.length === 1) return [first];
  const changes = items.flatMap((one) => one.changesAt ?? []);
  return [
    {
      ...first,
      allowance: sumOrUnlimited(items.map((one) => one.allowance)),
      allowsOverage: items.some((one) => one.allowsOverage),
      overageLimit: sumOrUnlimited(items.map((one) => one.overageLimit)),
      rollover: mergeRollover(items),
      knownFrom: Math.min(...items.map((one) => one.knownFrom)),
      endsAt: lastEndOf(items),
      renews: items.some((one) => one.renews),
      changesAt: changes.length === 0 ? null : Math.min(...changes),
    },
  ];
}

const endOrNever = ({ end }: BucketTerms): number => end ?? Number.POSITIVE_INFINITY;

/**
 * Items of one subscription that have the same period are one bucket. Paid periods of different length that begin
 * together are not the same: the longest keeps the name, as it has it alone once the others have moved on.
 */
export function mergeTerms(all: readonly BucketTerms[]): BucketTerms[] {
  return groupBy(all, bucketKey).flatMap((sameStart) =>
    groupBy(sameStart, (one) => String(one.end))
      .flatMap(mergeItems)
      .sort((a, b) => (endOrNever(a) === endOrNever(b) ? 0 : endOrNever(b) > endOrNever(a) ? 1 : -1))
      .map((terms, index) => (index === 0 ? terms : { ...terms, period: `${terms.period}#${index}` })),
  );
}
