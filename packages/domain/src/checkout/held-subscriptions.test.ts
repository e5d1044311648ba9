import type { OrderedItem } from './check-items.ts';
import { pageSlots } from './check-items.ts';
import { findOccupied, hasTrialLeft, isPossibleDuplicate } from './held-subscriptions.ts';
import type { HeldSubscription } from './held-subscriptions.ts';

const item = (name: string, more: Partial<OrderedItem['price']> = {}): OrderedItem => ({
  price: {
    priceId: name,
    stripePriceId: `price_${name}`,
    productId: `product_${name}`,
    interval: 'month',
    isMetered: false,
    isArchived: false,
    group: null,
    maxTrials: null,
    ...more,
  },
  quantity: undefined,
  path: `items.${name}`,
  quantityPath: `items.${name}.quantity`,
});

const held = (
  id: string,
  name: string,
  more: Partial<HeldSubscription> & { group?: string } = {},
): HeldSubscription => {
  const { group = null, ...fields } = more;
  const items = [{ stripePriceId: `price_${name}`, productId: `product_${name}`, group }];
  return { id, isLive: true, isHinted: false, hasTrial: false, items, ...fields };
};

const plan = { group: 'plan' };

describe('a sale is a second subscription', () => {
  test.each<[string, OrderedItem[], HeldSubscription[], object | null]>([
    ['with nothing held: no', [item('a')], [], null],
    ['of the same price', [item('a')], [held('sub_1', 'a')], { code: 'already_subscribed' }],
    ['of another price: no', [item('a')], [held('sub_1', 'b')], null],
    [
      'of another plan of the group',
      [item('a', plan)],
      [held('sub_1', 'b', plan)],
      { code: 'group_occupied' },
    ],
    ['of another group: no', [item('a', plan)], [held('sub_1', 'b', { group: 'other' })], null],
    [
      'of both: the price goes first',
      [item('a', plan), item('b')],
      [held('sub_1', 'c', plan), held('sub_2', 'b')],
      { code: 'already_subscribed', subscriptionId: 'sub_2', path: 'items.b' },
    ],
    ['that has ended: no', [item('a')], [held('sub_1', 'a', { isLive: false })], null],
    ['that a buyer’s hint names: no', [item('a')], [held('sub_1', 'a', { isHinted: true })], null],
    ['paid once: no', [item('a', { interval: 'one_time', ...plan })], [held('sub_1', 'b', plan)], null],
    ['metered', [item('a', { isMetered: true })], [held('sub_1', 'a')], { code: 'already_subscribed' }],
  ])('%s', (_what, items, subscriptions, occupied) => {
    expect({ found: findOccupied(items, subscriptions) }).toMatchObject({ found: occupied });
  });

  test.each<[string, HeldSubscription, boolean]>([
    ['the same price', held('sub_1', 'a', { isHinted: true }), true],
    ['the same group', held('sub_1', 'b', { isHinted: true, ...plan }), true],
    ['another', held('sub_1', 'b', { isHinted: true }), false],
    ['what has ended', held('sub_1', 'a', { isHinted: true, isLive: false }), false],
    ['what is known', held('sub_1', 'a'), false],
  ])('perhaps, by a hint at %s: %p', (_what, subscription, isPossible) => {
    expect(isPossibleDuplicate([item('a', plan)], [subscription])).toBe(isPossible);
  });
});

describe('a trial is left', () => {
  const tried = (id: string, name: string, more: Parameters<typeof held>[2] = {}) =>
    held(id, name, { hasTrial: true, isLive: false, ...more });
  const both = [tried('sub_1', 'a', plan), tried('sub_2', 'b', plan)];
  test.each<[string, OrderedItem, HeldSubscription[], boolean]>([
    ['where any number may be', item('a'), [tried('sub_1', 'a')], true],
    ['where none was had', item('a', { maxTrials: 1 }), [], true],
    ['where one was had of one', item('a', { maxTrials: 1 }), [tried('sub_1', 'a')], false],
    ['where none may be', item('a', { maxTrials: 0 }), [], false],
    ['where one was had of another product', item('a', { maxTrials: 1 }), [tried('sub_1', 'b')], true],
    [
      'where another plan was tried',
      item('a', { ...plan, maxTrials: 1 }),
      [tried('sub_1', 'b', plan)],
      false,
    ],
    ['where two were had of three', item('a', { ...plan, maxTrials: 3 }), both, true],
    ['where two were had of two', item('a', { ...plan, maxTrials: 2 }), both, false],
    [
      'where one is read twice',
      item('a', { maxTrials: 2 }),
      [tried('sub_1', 'a'), tried('sub_1', 'a')],
      true,
    ],
    ['where it was no trial', item('a', { maxTrials: 1 }), [held('sub_1', 'a')], true],
    ['where a hint names it', item('a', { maxTrials: 1 }), [tried('sub_1', 'a', { isHinted: true })], true],
  ])('%s', (_what, sold, subscriptions, isLeft) => {
    expect(hasTrialLeft([sold], subscriptions)).toBe(isLeft);
  });
});

test('a page stands for groups, and for prices without one, which are paid again and again', () => {
  const items = [
    item('b'),
    item('a', plan),
    item('c', { ...plan, isMetered: true }),
    item('d', { interval: 'one_time', group: 'other' }),
  ];
  expect(pageSlots(items)).toEqual(['group:plan', 'price:price_b']);
});
