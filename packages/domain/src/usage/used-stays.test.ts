import { aBoughtItem, aPurchase, aSubscription } from '../entitlements/sources.test-support.ts';
import { currentBuckets } from './account.ts';
import type { Account } from './account.ts';
import {
  accountOf,
  after,
  at,
  aUse,
  itemOf,
  later,
  metered,
  seen,
  subscriptionOf,
} from './usage.test-support.ts';
import type { Scene } from './usage.test-support.ts';

const monthly = metered({ period: 'month' });
const april: [string, string] = ['2026-04-10', '2026-05-10'];
const inApril = '2026-04-20';
const plan = (...args: Partial<Parameters<typeof subscriptionOf>>) => ({
  subscriptions: [subscriptionOf(args[0] ?? metered(), args[1] ?? april, args[2])],
});

/** 30 were used in April’s bucket; then something happens. Used of each bucket. */
describe('what was used stays with its bucket', () => {
  const used =
    (...change: Parameters<typeof plan>) =>
    (now: string, policy?: Scene['policy']) => {
      const before = after(accountOf({ ...plan(), now: inApril }), aUse({ quantity: 30 }));
      const account = later(before, { ...plan(...change), now, ...(policy === undefined ? {} : { policy }) });
      return account.offer.terms.map(
        (one) =>
          account.state.buckets.find((two) => two.start === one.start && two.period === one.period)?.used ??
          0,
      );
    };
  const switched = { itemId: 'si_1', stripePriceId: 'price_2' };
  it.each<[string, number[], number[]]>([
    [
      'a switch of price in the period',
      used(metered({ allowance: 500 }), april, { item: switched })('2026-04-21'),
      [30],
    ],
    ['an upgrade', used(metered({ allowance: 500 }))('2026-04-21'), [30]],
    ['a downgrade below what was used', used(metered({ allowance: 5 }))('2026-04-21'), [30]],
    [
      'another quantity',
      used(metered({ per_unit: true }), april, { item: { quantity: 4 } })('2026-04-21'),
      [30],
    ],
    ['an anchor that was reset', used(undefined, ['2026-04-21', '2026-05-21'])('2026-04-21'), [0]],
    [
      'past due',
      used(undefined, april, { status: 'past_due', pastDueSince: at(inApril) })('2026-04-21'),
      [30],
    ],
    ['the next period, by the clock', used()('2026-05-10'), [0]],
    ['the next period, heard', used(undefined, ['2026-05-10', '2026-06-10'])('2026-05-10'), [0]],
    ['another period of the settings', used(monthly)('2026-04-21'), [0]],
    ['another anchor', used(metered({ period: 'month', anchor: 'calendar' }))('2026-04-21'), [0]],
  ])('%s', (_what, found, expected) => {
    expect(found).toEqual(expected);
  });

  it('the period that began by the clock is the one that is heard later', () => {
    const early = after(accountOf({ ...plan(), now: '2026-05-10' }), aUse({ quantity: 30 }));
    const heard = later(early, { ...plan(undefined, ['2026-05-10', '2026-06-10']), now: '2026-05-12' });
    expect(heard.state.buckets).toMatchObject([{ used: 30, start: at('2026-05-10') }]);
    expect(seen(heard)).toEqual(['sub_1 2026-05-10 2026-06-10 100']);
  });

  it('another zone begins new calendar buckets', () => {
    const calendar = plan(metered({ period: 'month', anchor: 'calendar' }));
    const before = after(accountOf({ ...calendar, now: inApril }), aUse({ quantity: 30 }));
    const moved = later(before, { ...calendar, now: inApril, policy: { usage_timezone: 'Africa/Abidjan' } });
    expect(seen(moved)).toEqual(['sub_1 2026-04-01 2026-05-01 100']);
    expect(after(moved, aUse({ quantity: 100 })).state.buckets).toHaveLength(2);
  });

  it('the longer of two paid periods that begin together keeps its bucket when the shorter moves on', () => {
    const both = (month: [string, string]) => ({
      subscriptions: [
        aSubscription({
          items: [
            itemOf(metered({ allowance: 10 }), month),
            itemOf(metered(), ['2026-04-10', '2027-04-10'], { itemId: 'si_2' }),
          ],
        }),
      ],
    });
    const before = after(accountOf({ ...both(april), now: inApril }), aUse({ quantity: 30 }));
    expect(before.state.buckets.map((one) => one.used)).toEqual([10, 20]);
    const next = later(before, { ...both(['2026-05-10', '2026-06-10']), now: '2026-05-20' });
    expect(next.offer.terms.map((one) => [one.start, one.period])).toEqual([
      [at('2026-05-10'), 'billing'],
      [at('2026-04-10'), 'billing'],
    ]);
    expect(after(next, aUse({ quantity: 90 })).state.buckets.map((one) => one.used)).toEqual([10, 100, 10]);
  });

  it('packs of one purchase keep their buckets, whichever of them ends first after the next purchase', () => {
    const pack = (product: string, accessDays: number | null, allowance: number) =>
      aBoughtItem({
        stripePriceId: `price_${product}`,
        productId: product,
        accessDays,
        features: { f: metered({ period: 'once', allowance }) },
      });
    const [small, large] = [pack('small', 30, 100), pack('large', 90, 500)];
    const cart = aPurchase({ paidAt: at('2026-04-01'), items: [small, large] });
    const again = [1, 2, 3].map((day) =>
      aPurchase({ id: `pi_again_${day}`, paidAt: at(`2026-04-1${day}`), items: [small] }),
    );
    const remaining = (account: Account) =>
      currentBuckets(account).map(({ sourceId, granted, free }) => [sourceId, granted, free]);
    const before = after(accountOf({ purchases: [cart], now: inApril }), aUse({ quantity: 400 }));
    expect(remaining(before)).toEqual([
      ['pi_1', 100, 0],
      ['pi_1', 500, 200],
    ]);
    const extended = { purchases: [cart, ...again], now: inApril };
    expect(remaining(later(before, extended))).toEqual([
      ['pi_1', 500, 200],
      ['pi_1', 100, 0],
      ...again.map(({ id }) => [id, 100, 100]),
    ]);
    // The large one is over by then.
    expect(remaining(later(before, { ...extended, now: '2026-07-10' }))[0]).toEqual(['pi_1', 100, 0]);
  });
});
