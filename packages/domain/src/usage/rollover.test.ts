import { currentBuckets } from './account.ts';
import type { Account } from './account.ts';
import { balanceOf } from './balance.ts';
import { accountOf, after, at, aUse, later, metered, subscriptionOf } from './usage.test-support.ts';
import type { Scene } from './usage.test-support.ts';

const months = ['2026-01-10', '2026-02-10', '2026-03-10', '2026-04-10', '2026-05-10'] as const;

/** The subscription in its month 0, 1, …, heard since month 0. */
const inMonth = (index: number, settings: Parameters<typeof metered>[0]): Scene => {
  const [start = '', end = ''] = months.slice(index, index + 2);
  const item = { firstPeriodStart: at(months[0]) };
  return {
    subscriptions: [subscriptionOf(metered(settings), [start, end], { startDate: at(months[0]), item })],
    now: at(start) + 86_400_000,
  };
};

/** Granted and rolled over in each month, after so much was used in the months before. */
function lived(settings: Parameters<typeof metered>[0], used: readonly number[]): string[] {
  let account: Account | undefined;
  return used.map((quantity, index) => {
    const scene = inMonth(index, settings);
    account = account === undefined ? accountOf(scene) : later(account, scene);
    const [bucket] = currentBuckets(account);
    if (quantity > 0) account = after(account, aUse({ quantity }));
    return `${bucket?.granted} ${bucket?.rolledOver}`;
  });
}

describe('what a period leaves', () => {
  it.each<[string, Parameters<typeof metered>[0], number[], string[]]>([
    ['no rollover', {}, [10, 10, 10], ['100 0', '100 0', '100 0']],
    ['one period', { rollover: { periods: 1 } }, [40, 0, 0, 0], ['100 0', '160 60', '200 100', '200 100']],
    ['three periods', { rollover: { periods: 3 } }, [40, 0, 0, 0], ['100 0', '160 60', '260 160', '360 260']],
    [
      'the oldest is burnt first',
      { rollover: { periods: 2 } },
      [40, 60, 0, 0],
      ['100 0', '160 60', '200 100', '300 200'],
    ],
    [
      'and lost first',
      { rollover: { periods: 2 } },
      [40, 0, 0, 0],
      ['100 0', '160 60', '260 160', '300 200'],
    ],
    [
      'at most `max` in all',
      { rollover: { periods: 3, max: 90 } },
      [40, 0, 0, 0],
      ['100 0', '160 60', '190 90', '190 90'],
    ],
    [
      'at most `max`, burnt in between',
      { rollover: { periods: 3, max: 90 } },
      [40, 0, 150, 0],
      ['100 0', '160 60', '190 90', '140 40'],
    ],
    ['all used', { rollover: { periods: 3 } }, [100, 100, 0], ['100 0', '100 0', '100 0']],
  ])('%s', (_what, settings, used, expected) => {
    expect(lived(settings, used)).toEqual(expected);
  });

  const rolling = { rollover: { periods: 1 } };
  it('what a used bucket was worth is kept, whatever the product says later', () => {
    const used = after(accountOf(inMonth(0, rolling)), aUse({ quantity: 40 }));
    expect(currentBuckets(later(used, inMonth(1, { ...rolling, allowance: 500 })))).toMatchObject([
      { granted: 560 },
    ]);
  });

  it('that of one that was not used is what today’s settings say, until its successor is used', () => {
    const fresh = accountOf(inMonth(1, { ...rolling, allowance: 500 }));
    expect(currentBuckets(fresh)).toMatchObject([{ granted: 1_000 }]);
    const used = after(accountOf(inMonth(1, rolling)), aUse());
    expect(currentBuckets(later(used, inMonth(1, { ...rolling, allowance: 500 })))).toMatchObject([
      { granted: 600, rolledOver: 100 },
    ]);
  });

  it('nothing before the first period heard, though the subscription is older', () => {
    const [subscription] = inMonth(1, rolling).subscriptions ?? [];
    if (subscription === undefined) throw new Error('no subscription');
    const [item] = subscription.items;
    if (item === undefined) throw new Error('no item');
    const scene = {
      subscriptions: [{ ...subscription, items: [{ ...item, firstPeriodStart: at('2026-02-10') }] }],
    };
    expect(currentBuckets(accountOf({ ...scene, now: '2026-02-20' }))).toMatchObject([{ rolledOver: 0 }]);
  });

  it('a period that was cut short leaves nothing: its price was credited', () => {
    const used = after(accountOf(inMonth(0, rolling)), aUse({ quantity: 40 }));
    const reset = subscriptionOf(metered(rolling), ['2026-01-20', '2026-02-20'], {
      startDate: at('2026-01-10'),
      item: { firstPeriodStart: at('2026-01-10') },
    });
    expect(currentBuckets(later(used, { subscriptions: [reset], now: '2026-01-21' }))).toMatchObject([
      { granted: 100, rolledOver: 0 },
    ]);
  });

  it('days, weeks and calendar months roll over as well', () => {
    const scene = (settings: Parameters<typeof metered>[0], now: string): Scene => ({
      subscriptions: [subscriptionOf(metered({ ...rolling, ...settings }), ['2026-01-10', '2027-01-10'])],
      now,
    });
    const granted = (settings: Parameters<typeof metered>[0], first: string, second: string) =>
      currentBuckets(
        later(after(accountOf(scene(settings, first)), aUse({ quantity: 30 })), scene(settings, second)),
      ).map((one) => one.granted);
    expect(granted({ period: 'day' }, '2026-01-10', '2026-01-11')).toEqual([170]);
    expect(granted({ period: 'day' }, '2026-01-10', '2026-01-12')).toEqual([200]);
    expect(granted({ period: 'week' }, '2026-01-10', '2026-01-17')).toEqual([170]);
    expect(granted({ period: 'month', anchor: 'calendar' }, '2026-01-10', '2026-02-01')).toEqual([170]);
    // The calendar month in which it began is its first.
    expect(
      currentBuckets(accountOf(scene({ period: 'month', anchor: 'calendar' }, '2026-01-15'))),
    ).toMatchObject([{ granted: 100 }]);
  });

  it('what expires next is what does not roll over', () => {
    const account = after(accountOf(inMonth(0, rolling)), aUse({ quantity: 40 }));
    expect(balanceOf(account)?.next_expiry).toBeNull();
    const next = later(account, inMonth(1, rolling));
    expect(balanceOf(next)?.next_expiry).toEqual({ at: '2026-03-10T00:00:00.000Z', amount: 60 });
    expect(balanceOf(accountOf(inMonth(0, {})))?.next_expiry?.amount).toBe(100);
  });
});
