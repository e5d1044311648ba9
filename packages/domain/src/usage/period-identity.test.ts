import { anItem, aSubscription } from '../entitlements/sources.test-support.ts';
import { accountOf, at, itemOf, metered, seen, subscriptionOf } from './usage.test-support.ts';
import type { Scene } from './usage.test-support.ts';

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
  ])('%s', (_what, scene, expected) => {
    expect(seen(accountOf(scene))).toEqual(expected);
  });
});
