import { fraction, fromDecimal, isLess, times } from '../money/fraction.ts';
import type { Fraction } from '../money/fraction.ts';
import type { RecurringInterval } from '../stripe/price.ts';
import type { ItemChange, PlanTerms } from './plan-items.ts';

/** When a change of plan is made. */
export type ChangeTime = 'now' | 'period_end';

/** In days: a year has 365, and a month a twelfth of them. */
const daysOf: Record<RecurringInterval, Fraction> = {
  day: fraction(1n),
  week: fraction(7n),
  month: fraction(365n, 12n),
  year: fraction(365n),
};

type Side = PlanTerms & { quantity: number };

const lengthOf = ({ interval, intervalCount }: Side): Fraction =>
  times(daysOf[interval], fraction(BigInt(intervalCount)));

/** Null: no fixed amount. */
const costOf = ({ unitAmount, quantity }: Side): Fraction | null =>
  unitAmount === null ? null : times(fromDecimal(unitAmount), fraction(BigInt(quantity)));

function isDearer(before: Side, after: Side): boolean {
  const [costs, willCost] = [costOf(before), costOf(after)];
  return costs !== null && willCost !== null && isLess(costs, willCost);
}

const isLonger = (before: Side, after: Side): boolean => isLess(lengthOf(before), lengthOf(after));

/** Ranks are those of one group. Null: they do not say. */
function isHigher(before: Side, after: Side): boolean | null {
  if (before.group === null || before.group !== after.group) return null;
  if (before.rank === null || after.rank === null || before.rank === after.rank) return null;
  return before.rank < after.rank;
}

function isUp(change: Exclude<ItemChange, { kind: 'keep' }>): boolean {
  if (change.kind !== 'exchange') return change.kind === 'add';
  const { before, after } = change;
  return isHigher(before, after) ?? (isDearer(before, after) || isLonger(before, after));
}

const hasGroup = (change: Exclude<ItemChange, { kind: 'keep' }>): boolean =>
  (change.kind !== 'add' && change.before.group !== null) ||
  (change.kind !== 'remove' && change.after.group !== null);

/**
 * When `effective: auto` makes a change. A higher rank: now; a lower one: at the period's end. Where ranks do not say: what
 * is dearer (price × quantity) or billed for longer, and what is added, now; all else at the end. Of several items those
 * decide whose plan has a group, and one that goes up is enough.
 */
export function whenToChange(changes: readonly ItemChange[]): ChangeTime {
  const made = changes.filter((change) => change.kind !== 'keep');
  const ofGroups = made.filter(hasGroup);
  const deciding = ofGroups.length > 0 ? ofGroups : made;
  return deciding.some(isUp) ? 'now' : 'period_end';
}
