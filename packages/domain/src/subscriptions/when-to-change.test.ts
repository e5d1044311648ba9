import { aCurrent, aWanted } from './items.test-support.ts';
import { planItems } from './plan-items.ts';
import type { CurrentItem, WantedItem } from './plan-items.ts';
import { whenToChange } from './when-to-change.ts';
import type { ChangeTime } from './when-to-change.ts';

const rankOf = { lower: 3, equal: 2, higher: 1, none: null } as const;
const amountOf = { cheaper: '2000', equal: '1000', dearer: '500', 'no amount': null } as const;
const intervalOf = { shorter: 'year', equal: 'month', longer: 'week' } as const;

type Rank = keyof typeof rankOf;
type Amount = keyof typeof amountOf;
type Interval = keyof typeof intervalOf;

/** What comes is of rank 2, costs 1000 and is billed by month; the words say how that is beside what was. */
const table: [Rank, Amount, Interval, ChangeTime][] = (['lower', 'equal', 'higher', 'none'] as const).flatMap(
  (rank) =>
    (['cheaper', 'equal', 'dearer', 'no amount'] as const).flatMap((amount) =>
      (['shorter', 'equal', 'longer'] as const).map((interval): [Rank, Amount, Interval, ChangeTime] => {
        if (rank === 'higher') return [rank, amount, interval, 'now'];
        if (rank === 'lower') return [rank, amount, interval, 'period_end'];
        return [rank, amount, interval, amount === 'dearer' || interval === 'longer' ? 'now' : 'period_end'];
      }),
    ),
);

test.each(table)('rank %s, %s, interval %s: %s', (rank, amount, interval, expected) => {
  const before = aCurrent('a', {
    group: 'plan',
    rank: rankOf[rank],
    unitAmount: amountOf[amount],
    interval: intervalOf[interval],
  });
  const after = aWanted('b', { group: 'plan', rank: 2 });
  expect(whenToChange(planItems({ current: [before], wanted: [after] }))).toBe(expected);
});

const basic = { group: 'plan', rank: 1 };
const pro = { group: 'plan', rank: 2, unitAmount: '2000' };

test.each<[string, CurrentItem[], WantedItem[], ChangeTime]>([
  ['more of the same', [aCurrent('a')], [aWanted('a', { quantity: 2 })], 'now'],
  ['fewer', [aCurrent('a', { quantity: 2 })], [aWanted('a')], 'period_end'],
  [
    'fewer of what is dearer',
    [aCurrent('a', { quantity: 3 })],
    [aWanted('b', { unitAmount: '2000' })],
    'period_end',
  ],
  [
    'ranks of two groups say nothing',
    [aCurrent('a', { ...pro, group: 'old' })],
    [aWanted('b', basic)],
    'period_end',
  ],
  [
    'ranks without a group say nothing',
    [aCurrent('a', { rank: 1 })],
    [aWanted('b', { rank: 2 })],
    'period_end',
  ],
  [
    'fractions of the smallest unit',
    [aCurrent('a', { unitAmount: '0.5' })],
    [aWanted('b', { unitAmount: '0.55' })],
    'now',
  ],
  [
    'twelve months are no longer than a year',
    [aCurrent('a', { interval: 'year' })],
    [aWanted('b', { intervalCount: 12 })],
    'period_end',
  ],
  [
    'three months are longer than one',
    [aCurrent('a')],
    [aWanted('b', { unitAmount: '900', intervalCount: 3 })],
    'now',
  ],
  ['an add-on', [aCurrent('a', basic)], [aWanted('a', basic), aWanted('addon')], 'now'],
  ['without the add-on', [aCurrent('a', basic), aCurrent('addon')], [aWanted('a', basic)], 'period_end'],
  [
    'the plan decides: up, without the add-on',
    [aCurrent('a', basic), aCurrent('addon')],
    [aWanted('b', pro)],
    'now',
  ],
  [
    'the plan decides: down, with an add-on',
    [aCurrent('b', pro)],
    [aWanted('a', basic), aWanted('addon')],
    'period_end',
  ],
  [
    'one up and one down',
    [aCurrent('b', pro), aCurrent('s', { group: 'seats' })],
    [aWanted('a', basic), aWanted('s', { group: 'seats', quantity: 2 })],
    'now',
  ],
  ['all out', [aCurrent('a', basic)], [], 'period_end'],
  ['nothing', [aCurrent('a', basic)], [aWanted('a', basic)], 'period_end'],
])('%s', (_name, current, wanted, expected) => {
  expect(whenToChange(planItems({ current, wanted }))).toBe(expected);
});
