import {
  aGrant,
  aPayment,
  aPurchase,
  anItem,
  aSubscription,
  aBoughtItem,
} from '../entitlements/sources.test-support.ts';
import { calendarPeriod, nextPeriod, periodFrom, previousPeriod } from './periods.ts';
import type { PeriodUnit } from './periods.ts';
import {
  accountOf,
  after,
  at,
  aUse,
  itemOf,
  later,
  metered,
  packOf,
  seen,
  subscriptionOf,
} from './usage.test-support.ts';
import type { Scene } from './usage.test-support.ts';

const iso = (moment: number): string => new Date(moment).toISOString().slice(0, 16);

describe('periods that count from a moment clamp as Stripe’s anchors do', () => {
  it.each<[string, PeriodUnit, string, string, string]>([
    // anchor, unit, at, start, end
    ['2026-01-31T10:00Z', 'month', '2026-02-28T09:59Z', '2026-01-31T10:00', '2026-02-28T10:00'],
    ['2026-01-31T10:00Z', 'month', '2026-02-28T10:00Z', '2026-02-28T10:00', '2026-03-31T10:00'],
    ['2026-01-31T10:00Z', 'month', '2026-04-30T10:00Z', '2026-04-30T10:00', '2026-05-31T10:00'],
    ['2026-01-31T10:00Z', 'month', '2027-12-31T10:00Z', '2027-12-31T10:00', '2028-01-31T10:00'],
    ['2028-01-30T00:00Z', 'month', '2028-02-29T00:00Z', '2028-02-29T00:00', '2028-03-30T00:00'],
    ['2028-02-29T00:00Z', 'year', '2029-03-01T00:00Z', '2029-02-28T00:00', '2030-02-28T00:00'],
    ['2028-02-29T00:00Z', 'year', '2032-02-29T00:00Z', '2032-02-29T00:00', '2033-02-28T00:00'],
    ['2026-03-05T12:00Z', 'week', '2026-03-12T11:59Z', '2026-03-05T12:00', '2026-03-12T12:00'],
    ['2026-03-05T12:00Z', 'day', '2026-03-07T12:00Z', '2026-03-07T12:00', '2026-03-08T12:00'],
    // Ahead of our clock, as of a test clock: the first one.
    ['2027-01-31T00:00Z', 'month', '2026-06-01T00:00Z', '2027-01-31T00:00', '2027-02-28T00:00'],
    ['2027-01-31T00:00Z', 'day', '2026-06-01T00:00Z', '2027-01-31T00:00', '2027-02-01T00:00'],
  ])('%s, %s, at %s', (anchor, unit, moment, start, end) => {
    const period = periodFrom(at(anchor), unit, at(moment));
    expect([iso(period.start), iso(period.end)]).toEqual([start, end]);
  });
});

describe('calendar periods begin at midnight of the zone', () => {
  it.each<[string, PeriodUnit, string, string, string]>([
    ['UTC', 'day', '2026-03-29T12:00Z', '2026-03-29T00:00', '2026-03-30T00:00'],
    ['UTC', 'week', '2026-03-29T23:59Z', '2026-03-23T00:00', '2026-03-30T00:00'],
    ['UTC', 'week', '2026-03-30T00:00Z', '2026-03-30T00:00', '2026-04-06T00:00'],
    ['UTC', 'month', '2028-02-29T23:59Z', '2028-02-01T00:00', '2028-03-01T00:00'],
    ['UTC', 'year', '2026-12-31T23:59Z', '2026-01-01T00:00', '2027-01-01T00:00'],
    // A day of 23 hours and one of 25.
    ['Europe/Berlin', 'day', '2026-03-29T12:00Z', '2026-03-28T23:00', '2026-03-29T22:00'],
    ['Europe/Berlin', 'day', '2026-10-25T00:30Z', '2026-10-24T22:00', '2026-10-25T23:00'],
    ['Europe/Berlin', 'month', '2026-10-31T23:30Z', '2026-10-31T23:00', '2026-11-30T23:00'],
    ['Europe/Berlin', 'week', '2026-10-25T12:00Z', '2026-10-18T22:00', '2026-10-25T23:00'],
    ['America/New_York', 'year', '2027-01-01T04:59Z', '2026-01-01T05:00', '2027-01-01T05:00'],
    ['Asia/Kolkata', 'day', '2026-05-01T18:29Z', '2026-04-30T18:30', '2026-05-01T18:30'],
    // Clocks that skip midnight: the day begins after the gap. Those that go back over it: at the first midnight.
    ['Africa/Cairo', 'day', '2023-04-28T12:00Z', '2023-04-27T22:00', '2023-04-28T21:00'],
    ['America/Havana', 'day', '2026-11-01T12:00Z', '2026-11-01T04:00', '2026-11-02T05:00'],
    ['America/Sao_Paulo', 'day', '2018-02-17T12:00Z', '2018-02-17T02:00', '2018-02-18T03:00'],
    // A day that did not exist.
    ['Pacific/Apia', 'day', '2011-12-30T09:00Z', '2011-12-29T10:00', '2011-12-30T10:00'],
    ['Pacific/Apia', 'day', '2011-12-30T10:00Z', '2011-12-30T10:00', '2011-12-31T10:00'],
  ])('%s, %s, at %s', (zone, unit, moment, start, end) => {
    const period = calendarPeriod(zone, unit, at(moment));
    expect([iso(period.start), iso(period.end)]).toEqual([start, end]);
    // What is remembered of the zone changes nothing.
    expect(calendarPeriod(zone, unit, period.start)).toEqual(period);
    expect(calendarPeriod(zone, unit, period.end - 1)).toEqual(period);
    expect(calendarPeriod(zone, unit, period.end).start).toBe(period.end);
  });
});

describe('a paid period that was not heard of has the length of the one beside it', () => {
  it.each<[string, string, string, string]>([
    // start, end, end of the next, start of the one before
    ['2026-01-31', '2026-02-28', '2026-03-31', '2025-12-31'],
    ['2026-02-28', '2026-03-31', '2026-04-30', '2026-01-31'],
    ['2026-02-28', '2026-03-28', '2026-04-28', '2026-01-28'],
    ['2028-02-29', '2029-02-28', '2030-02-28', '2027-02-28'],
    ['2026-01-31', '2026-02-14', '2026-02-28', '2026-01-17'],
    ['2026-01-01', '2026-04-01', '2026-07-01', '2025-10-01'],
    ['2026-03-02', '2026-03-09', '2026-03-16', '2026-02-23'],
  ])('%s to %s', (start, end, next, before) => {
    const period = { start: at(start), end: at(end) };
    expect(nextPeriod(period)).toEqual({ start: at(end), end: at(next) });
    expect(previousPeriod(period)).toEqual({ start: at(before), end: at(start) });
  });
});

const monthly = metered({ period: 'month' });
const april: [string, string] = ['2026-04-10', '2026-05-10'];
const inApril = '2026-04-20';
const plan = (...args: Partial<Parameters<typeof subscriptionOf>>) => ({
  subscriptions: [subscriptionOf(args[0] ?? metered(), args[1] ?? april, args[2])],
});

describe('which buckets a user has', () => {
  it.each<[string, Scene, string[]]>([
    ['billing: the paid period', { ...plan(), now: inApril }, ['sub_1 2026-04-10 2026-05-10 100']],
    [
      'billing: at its end, before the renewal is heard, the next by the clock',
      { ...plan(), now: '2026-05-10' },
      ['sub_1 2026-05-10 2026-06-10 100'],
    ],
    [
      'billing: a millisecond before',
      { ...plan(), now: at('2026-05-10') - 1 },
      ['sub_1 2026-04-10 2026-05-10 100'],
    ],
    ['billing: a renewal that does not come in time', { ...plan(), now: '2026-05-11' }, []],
    [
      'billing: heard before it began',
      {
        ...plan(undefined, ['2026-05-10', '2026-06-10'], { startDate: at('2026-04-10') }),
        now: '2026-05-09',
      },
      ['sub_1 2026-05-10 2026-06-10 100'],
    ],
    [
      'a test clock months ahead of ours',
      { ...plan(undefined, ['2027-01-10', '2027-02-10']), now: inApril },
      ['sub_1 2027-01-10 2027-02-10 100'],
    ],
    [
      'a test clock ahead, a month of the source',
      { ...plan(monthly, ['2027-01-31', '2027-02-28']), now: inApril },
      ['sub_1 2027-01-31 2027-02-28 100'],
    ],
    [
      'a month of the source in a yearly plan',
      { ...plan(monthly, ['2026-01-31', '2027-01-31']), now: '2026-03-01' },
      ['sub_1 2026-02-28 2026-03-31 100'],
    ],
    [
      'a month of the source counts from start_date, not from an anchor that an upgrade moved',
      { ...plan(monthly, ['2026-04-15', '2026-05-15'], { startDate: at('2026-01-10') }), now: inApril },
      ['sub_1 2026-04-10 2026-05-10 100'],
    ],
    [
      'of older rows: from the earliest period heard',
      {
        subscriptions: [
          aSubscription({
            items: [itemOf(monthly, ['2026-04-15', '2026-05-15'], { firstPeriodStart: at('2026-03-12') })],
          }),
        ],
        now: inApril,
      },
      ['sub_1 2026-04-12 2026-05-12 100'],
    ],
    [
      'a calendar month',
      { ...plan(metered({ period: 'month', anchor: 'calendar' })), now: inApril },
      ['sub_1 2026-04-01 2026-05-01 100'],
    ],
    [
      'a calendar month of a zone',
      {
        ...plan(metered({ period: 'month', anchor: 'calendar' })),
        now: inApril,
        policy: { usage_timezone: 'Europe/Berlin' },
      },
      ['sub_1 2026-03-31T22:00 2026-04-30T22:00 100'],
    ],
    [
      'a day of a zone on which clocks change',
      {
        ...plan(metered({ period: 'day', anchor: 'calendar' }), ['2026-03-10', '2026-04-10']),
        now: '2026-03-29T12:00Z',
        policy: { usage_timezone: 'Europe/Berlin' },
      },
      ['sub_1 2026-03-28T23:00 2026-03-29T22:00 100'],
    ],
    [
      'once: from the start, without end',
      { ...plan(metered({ period: 'once' })), now: inApril },
      ['sub_1 2026-04-10 … 100'],
    ],
    [
      'a trial has its own allowance',
      {
        ...plan(metered({ trial_allowance: 10 }), april, { status: 'trialing', trialEnd: at('2026-05-10') }),
        now: inApril,
      },
      ['sub_1 2026-04-10 2026-05-10 10'],
    ],
    [
      'a trial’s end, by the clock: whole, for the length of the trial',
      {
        ...plan(metered({ trial_allowance: 10 }), ['2026-04-10', '2026-04-24'], {
          status: 'trialing',
          trialEnd: at('2026-04-24'),
        }),
        now: '2026-04-24',
      },
      ['sub_1 2026-04-24 2026-05-08 100'],
    ],
    [
      'a trial’s end, heard',
      {
        ...plan(metered({ trial_allowance: 10 }), ['2026-04-24', '2026-05-24'], {
          trialEnd: at('2026-04-24'),
        }),
        now: '2026-04-24',
      },
      ['sub_1 2026-04-24 2026-05-24 100'],
    ],
    [
      'a trial’s end within a month of the source: the same bucket, worth more',
      {
        ...plan(metered({ period: 'month', trial_allowance: 10 }), ['2026-04-24', '2026-05-24'], {
          startDate: at('2026-04-10'),
          trialEnd: at('2026-04-24'),
        }),
        now: '2026-04-25',
      },
      ['sub_1 2026-04-10 2026-05-10 100'],
    ],
    [
      'a quantity, where it is per unit',
      { ...plan(metered({ per_unit: true }), april, { item: { quantity: 3 } }), now: inApril },
      ['sub_1 2026-04-10 2026-05-10 300'],
    ],
    [
      'a quantity, where it is not',
      { ...plan(undefined, april, { item: { quantity: 3 } }), now: inApril },
      ['sub_1 2026-04-10 2026-05-10 100'],
    ],
    [
      'paused collection: the periods go on',
      { ...plan(undefined, april, { collectionPaused: true }), now: inApril },
      ['sub_1 2026-04-10 2026-05-10 100'],
    ],
    ['paused', { ...plan(undefined, april, { status: 'paused' }), now: inApril }, []],
    [
      'paused, allowed: no period begins by the clock',
      { ...plan(undefined, april, { status: 'paused' }), now: '2026-05-10', access: { paused: 'allow' } },
      [],
    ],
    [
      'past due, in grace',
      { ...plan(undefined, april, { status: 'past_due', pastDueSince: at('2026-04-18') }), now: inApril },
      ['sub_1 2026-04-10 2026-05-10 100'],
    ],
    [
      'past due, withheld',
      {
        ...plan(undefined, april, { status: 'past_due', pastDueSince: at('2026-04-18') }),
        now: inApril,
        policy: { past_due_allowance: 'withhold' },
      },
      ['sub_1 2026-04-10 2026-05-10 0'],
    ],
    [
      'past due beyond the grace',
      { ...plan(undefined, april, { status: 'past_due', pastDueSince: at('2026-04-11') }), now: inApril },
      [],
    ],
    [
      'set to end: its last period',
      { ...plan(undefined, april, { cancelAtPeriodEnd: true }), now: inApril },
      ['sub_1 2026-04-10 2026-05-10 100'],
    ],
    ['set to end, over', { ...plan(undefined, april, { cancelAtPeriodEnd: true }), now: '2026-05-10' }, []],
    [
      'items of one subscription and period are one bucket',
      {
        subscriptions: [
          aSubscription({
            items: [itemOf(metered(), april), itemOf(metered({ allowance: 50 }), april, { itemId: 'si_2' })],
          }),
        ],
        now: inApril,
      },
      ['sub_1 2026-04-10 2026-05-10 150'],
    ],
    [
      'items of other periods make their own',
      {
        subscriptions: [
          aSubscription({
            startDate: at('2026-04-10'),
            items: [
              itemOf(metered(), april),
              itemOf(metered({ allowance: 7, period: 'day' }), april, { itemId: 'si_2' }),
              itemOf(metered({ allowance: 9 }), ['2026-04-10', '2027-04-10'], { itemId: 'si_3' }),
            ],
          }),
        ],
        now: inApril,
      },
      ['sub_1 2026-04-20 2026-04-21 7', 'sub_1 2026-04-10 2026-05-10 100', 'sub_1 2026-04-10 2027-04-10 9'],
    ],
    [
      'two subscriptions',
      {
        subscriptions: [subscriptionOf(metered(), april), subscriptionOf(metered(), april, { id: 'sub_2' })],
        now: inApril,
      },
      ['sub_1 2026-04-10 2026-05-10 100', 'sub_2 2026-04-10 2026-05-10 100'],
    ],
    [
      'an item that is not mapped gives nothing',
      { subscriptions: [aSubscription({ items: [anItem({ featureCodes: null })] })], now: inApril },
      [],
    ],
    [
      'a pack, bought three times over',
      { purchases: [packOf(metered({ period: 'once' }), { paid: '2026-04-01', quantity: 3 })], now: inApril },
      ['pi_1 2026-04-01 … 300'],
    ],
    [
      'packs of one product follow each other: all are in force, and end together',
      {
        purchases: [
          packOf(metered({ period: 'once' }), { id: 'pi_2', paid: '2026-04-05', days: 30 }),
          packOf(metered({ period: 'once' }), { id: 'pi_1', paid: '2026-04-11', days: 30 }),
        ],
        now: inApril,
      },
      ['pi_2 2026-04-05 2026-06-04 100', 'pi_1 2026-04-11 2026-06-04 100'],
    ],
    [
      'a refund takes its days out',
      {
        purchases: [
          packOf(metered({ period: 'once' }), { id: 'pi_1', paid: '2026-04-05', days: 30 }),
          {
            ...packOf(metered({ period: 'once' }), { id: 'pi_2', paid: '2026-04-11', days: 30 }),
            payment: aPayment({ amountRefunded: 1000 }),
          },
        ],
        now: inApril,
      },
      ['pi_1 2026-04-05 2026-05-05 100'],
    ],
    [
      'an open dispute withdraws the pack',
      {
        purchases: [
          aPurchase({
            paidAt: at('2026-04-05'),
            payment: aPayment({ disputeStatus: 'needs_response' }),
            items: [aBoughtItem({ features: { f: metered({ period: 'once' }) } })],
          }),
        ],
        now: inApril,
      },
      [],
    ],
    [
      'a purchase with months: from its payment',
      { purchases: [packOf(monthly, { paid: '2026-01-31', quantity: 2 })], now: '2026-03-01' },
      ['pi_1 2026-02-28 2026-03-31 100'],
    ],
    [
      'a grant: once, until it ends',
      {
        grants: [aGrant({ validFrom: at('2026-04-01'), validTo: at('2026-06-01'), amount: 25 })],
        now: inApril,
      },
      ['grant_1 2026-04-01 2026-06-01 25'],
    ],
    [
      'a grant without end or limit',
      { grants: [aGrant({ validFrom: at('2026-04-01'), amount: null })], now: inApril },
      ['grant_1 2026-04-01 … unlimited'],
    ],
    [
      'a grant that was revoked',
      { grants: [aGrant({ amount: 5, validFrom: 0, revokedAt: at('2026-04-01') })], now: inApril },
      [],
    ],
    [
      'a default product: the calendar’s month',
      {
        defaults: [{ productId: 'free', featureCodes: ['f'], features: { f: metered({ allowance: 10 }) } }],
        now: inApril,
      },
      ['free 2026-04-01 2026-05-01 10'],
    ],
  ])('%s', (_what, scene, expected) => {
    expect(seen(accountOf(scene))).toEqual(expected);
  });
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
    const after_ = later(before, { ...calendar, now: inApril, policy: { usage_timezone: 'Africa/Abidjan' } });
    expect(seen(after_)).toEqual(['sub_1 2026-04-01 2026-05-01 100']);
    expect(after(after_, aUse({ quantity: 100 })).state.buckets).toHaveLength(2);
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
    const moved = later(before, { ...both(['2026-05-10', '2026-06-10']), now: '2026-05-20' });
    expect(moved.offer.terms.map((one) => [one.start, one.period])).toEqual([
      [at('2026-05-10'), 'billing'],
      [at('2026-04-10'), 'billing'],
    ]);
    expect(after(moved, aUse({ quantity: 90 })).state.buckets.map((one) => one.used)).toEqual([10, 100, 10]);
  });
});
