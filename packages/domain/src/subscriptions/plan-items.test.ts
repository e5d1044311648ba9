import { aCurrent, aWanted } from './items.test-support.ts';
import { itemsAfter, keepsAll, planItems, toStripeItems } from './plan-items.ts';
import type { CurrentItem, StripeItemUpdate, WantedItem } from './plan-items.ts';

const plan = { group: 'plan' };
const seats = { group: 'seats' };
const metered = { isMetered: true };

type Row = [name: string, current: CurrentItem[], wanted: WantedItem[], sent: StripeItemUpdate[]];

const rows: Row[] = [
  ['the same price keeps its item', [aCurrent('a')], [aWanted('a')], []],
  [
    'another quantity of it is sent with its item',
    [aCurrent('a')],
    [aWanted('a', { quantity: 3 })],
    [{ id: 'si_a', price: 'a', quantity: 3 }],
  ],
  [
    'another price is exchanged in place',
    [aCurrent('a')],
    [aWanted('b')],
    [{ id: 'si_a', price: 'b', quantity: 1 }],
  ],
  [
    'an equal price keeps its item, whatever comes first',
    [aCurrent('a'), aCurrent('b')],
    [aWanted('c'), aWanted('a')],
    [{ id: 'si_b', price: 'c', quantity: 1 }],
  ],
  [
    'plans of the same group first',
    [aCurrent('addon'), aCurrent('basic', plan)],
    [aWanted('pro', plan)],
    [
      { id: 'si_basic', price: 'pro', quantity: 1 },
      { id: 'si_addon', deleted: true },
    ],
  ],
  [
    'each group by itself',
    [aCurrent('basic', plan), aCurrent('seat', seats)],
    [aWanted('many', { ...seats, quantity: 5 }), aWanted('pro', plan)],
    [
      { id: 'si_seat', price: 'many', quantity: 5 },
      { id: 'si_basic', price: 'pro', quantity: 1 },
    ],
  ],
  [
    'what is left over is added',
    [aCurrent('a')],
    [aWanted('a'), aWanted('b', { quantity: 2 })],
    [{ price: 'b', quantity: 2 }],
  ],
  ['what is not named goes', [aCurrent('a'), aCurrent('b')], [aWanted('b')], [{ id: 'si_a', deleted: true }]],
  ['nothing wanted: all goes', [aCurrent('a')], [], [{ id: 'si_a', deleted: true }]],
  [
    'a metered price has no quantity, and takes no place of one that has',
    [aCurrent('a', plan)],
    [aWanted('m', { ...plan, ...metered })],
    [{ price: 'm' }, { id: 'si_a', deleted: true }],
  ],
  [
    'but that of another metered one',
    [aCurrent('m', metered)],
    [aWanted('n', metered)],
    [{ id: 'si_m', price: 'n' }],
  ],
  [
    'a metered price stays, whatever quantity',
    [aCurrent('m', metered)],
    [aWanted('m', { ...metered, quantity: 9 })],
    [],
  ],
];

test.each(rows)('%s', (_name, current, wanted, sent) => {
  const changes = planItems({ current, wanted });
  expect(toStripeItems(changes)).toEqual(sent);
  expect(keepsAll(changes)).toBe(sent.length === 0);
  const bought = (items: readonly WantedItem[]) =>
    items
      .map(({ stripePriceId, isMetered, quantity }) => `${stripePriceId} ${isMetered ? '' : quantity}`)
      .sort();
  expect(bought(itemsAfter(changes))).toEqual(bought(wanted));
});
