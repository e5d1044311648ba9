import { dayMs, hourMs, minuteMs } from '../time.ts';
import {
  boundsWithin,
  hourOf,
  isStillRemembered,
  compareSummary,
  meterDelayOf,
  meterTargetAt,
  planMeterHour,
  segmentsOf,
  timestampOf,
} from './meters.ts';
import type { CountedSegment, MeterReport, MeterSources, MeterSubscription } from './meters.ts';

const hour = Date.UTC(2026, 10, 20, 10);
const end = hour + hourMs;
const now = end + 5 * minuteMs;
const all = { event_name: 'calls', report: 'all' } as const;
const overage = { event_name: 'over', report: 'overage' } as const;

const item = (
  fields: Partial<MeterSubscription['items'][number]> = {},
): MeterSubscription['items'][number] => ({
  start: hour - dayMs,
  end: hour + 29 * dayMs,
  isMetered: false,
  meter: null,
  ...fields,
});
const subscription = (fields: Partial<MeterSubscription> = {}): MeterSubscription => ({
  customerId: 'cus_sub',
  status: 'active',
  start: hour - dayMs,
  end: null,
  trialEnd: null,
  items: [item()],
  ...fields,
});
const sources = (fields: Partial<MeterSources> = {}): MeterSources => ({
  meter: null,
  customerId: 'cus_mapped',
  subscriptions: [],
  ...fields,
});
const of = (...subscriptions: MeterSubscription[]): MeterSources => sources({ subscriptions });
const selling = (fields: Partial<MeterSubscription> = {}): MeterSubscription =>
  subscription({ items: [item({ meter: overage })], ...fields });

describe('where usage is billed', () => {
  test.each<[string, MeterSources, [string, string | null] | null]>([
    ['nowhere without a meter', of(subscription()), null],
    ["the feature's meter, the mapped customer", sources({ meter: all }), ['calls', 'cus_mapped']],
    ["the feature's meter without a customer", sources({ meter: all, customerId: null }), ['calls', null]],
    ["the product's meter beats the feature's", { ...of(selling()), meter: all }, ['over', 'cus_sub']],
    ["the product's meter alone", of(selling()), ['over', 'cus_sub']],
    [
      'of several the newest subscription',
      of(selling(), selling({ customerId: 'cus_new', start: hour - hourMs })),
      ['over', 'cus_new'],
    ],
    ['not one that has ended', of(selling({ end: hour })), null],
    ['one that ends later', of(selling({ end: end, status: 'canceled' })), ['over', 'cus_sub']],
    ['not one that begins later', of(selling({ start: hour + 1 })), null],
    ['not one that was never paid', of(selling({ status: 'incomplete_expired' })), null],
    ['not one whose state is not known', of(selling({ status: null })), null],
    [
      "for the feature's meter, the subscription with a metered price",
      {
        ...of(
          subscription({ customerId: 'cus_plan', start: hour - hourMs }),
          subscription({ items: [item({ isMetered: true })] }),
        ),
        meter: all,
      },
      ['calls', 'cus_sub'],
    ],
    ['a subscription without a customer', of(selling({ customerId: null })), ['over', 'cus_mapped']],
  ])('%s', (_what, given, expected) => {
    const target = meterTargetAt(given, hour);
    expect(target === null ? null : [target.eventName, target.customerId]).toEqual(expected);
  });
});

describe('the bounds of periods within an hour', () => {
  const bound = hour + 23 * minuteMs;
  test.each<[string, MeterSources, number[]]>([
    ['none', of(subscription()), []],
    ["a period's end", of(subscription({ items: [item({ end: bound })] })), [bound]],
    ["a period's start", of(subscription({ items: [item({ start: bound })] })), [bound]],
    [
      'start and end of the subscription',
      of(subscription({ start: bound, end: bound + 1_000 })),
      [bound, bound + 1_000],
    ],
    ["a trial's end", of(subscription({ trialEnd: bound })), [bound]],
    ["the hour's own beginning is none", of(subscription({ items: [item({ start: hour })] })), []],
    ["the hour's end is none", of(subscription({ items: [item({ end })] })), []],
    [
      'an earlier period, by the clock',
      of(subscription({ items: [item({ start: bound + 7 * dayMs, end: bound + 14 * dayMs })] })),
      [bound],
    ],
    [
      'a renewal that was not heard of yet',
      of(subscription({ items: [item({ start: bound - 2 * dayMs, end: bound - dayMs })] })),
      [bound],
    ],
  ])('%s', (_what, given, expected) => {
    expect(boundsWithin(given, hour)).toEqual(expected);
  });

  test('parts cover the hour, and each has its last second for its timestamp', () => {
    expect(segmentsOf(hour, [bound])).toEqual([
      { start: hour, end: bound },
      { start: bound, end },
    ]);
    expect(segmentsOf(hour, [])).toEqual([{ start: hour, end }]);
    expect(timestampOf({ start: hour, end: bound })).toBe(bound - 1_000);
    expect(timestampOf({ start: bound, end: bound + 500 })).toBe(bound);
    expect(hourOf(end - 1)).toBe(hour);
  });
});

const counted = (fields: Partial<CountedSegment> = {}): CountedSegment => ({
  start: hour,
  end,
  quantity: 10,
  overage: 4,
  ...fields,
});
const told = (fields: Partial<MeterReport> = {}): MeterReport => ({
  sequence: 0,
  quantity: 10,
  at: end - 1_000,
  eventName: 'calls',
  report: 'all',
  customerId: 'cus_mapped',
  ...fields,
});
type Case = {
  segments?: CountedSegment[];
  reports?: MeterReport[];
  from?: MeterSources;
  when?: number;
};

describe('what is told of an hour', () => {
  const metered = sources({ meter: all });
  const plan = ({ segments = [counted()], reports = [], from = metered, when = now }: Case) =>
    planMeterHour({ segments, reports, sources: from }, when);

  test.each<[string, Case, [kind: string, sequence: number, quantity: number, customer: string | null][]]>([
    ['all of it first', {}, [['send', 0, 10, 'cus_mapped']]],
    ['nothing twice', { reports: [told()] }, []],
    ['the difference', { reports: [told({ quantity: 7 })] }, [['send', 1, 3, 'cus_mapped']]],
    [
      'a correction below what was told',
      { reports: [told({ quantity: 15 })] },
      [['send', 1, -5, 'cus_mapped']],
    ],
    [
      'after several',
      { reports: [told({ quantity: 4 }), told({ sequence: 1, quantity: 4 })] },
      [['send', 2, 2, 'cus_mapped']],
    ],
    ['the overage only', { from: of(selling()) }, [['send', 0, 4, 'cus_sub']]],
    ['nothing where there is no overage', { from: of(selling()), segments: [counted({ overage: 0 })] }, []],
    ['nothing without a meter', { from: sources() }, []],
    [
      'what was told stays with its customer',
      { from: sources({ meter: all, customerId: 'cus_b' }), reports: [told({ quantity: 8 })] },
      [['send', 1, 2, 'cus_mapped']],
    ],
    [
      'what was told stays with its way of counting',
      { from: of(selling()), reports: [told({ quantity: 8 })] },
      [['send', 1, 2, 'cus_mapped']],
    ],
    ['nothing without a customer', { from: sources({ meter: all, customerId: null }) }, []],
    ['too late after 35 days', { when: now + 35 * dayMs }, [['too_late', 0, 10, 'cus_mapped']]],
    [
      'too late also without a customer',
      { from: sources({ meter: all, customerId: null }), when: now + 35 * dayMs },
      [['too_late', 0, 10, null]],
    ],
    [
      'a bound that was heard after the hour was told as one',
      {
        segments: [
          counted({ end: hour + 1_000_000, quantity: 6 }),
          counted({ start: hour + 1_000_000, quantity: 4 }),
        ],
        reports: [told()],
      },
      [
        ['send', 1, 6, 'cus_mapped'],
        ['send', 2, -6, 'cus_mapped'],
      ],
    ],
  ])('%s', (_what, given, expected) => {
    expect(
      plan(given).reports.map(({ kind, sequence, quantity, customerId }) => [
        kind,
        sequence,
        quantity,
        customerId,
      ]),
    ).toEqual(expected);
  });

  test('it waits where only the customer is missing', () => {
    expect(plan({ from: sources({ meter: all, customerId: null }) }).waits).toBe(true);
    expect(plan({}).waits).toBe(false);
  });
});

test.each([
  [10, 10, 5, 'absent'],
  [15, 10, 5, 'there'],
  [5, 10, -5, 'there'],
  [10, 10, -5, 'absent'],
  [12, 10, 5, 'unclear'],
] as const)(
  'a meter that counted %i, where %i is known and %i in doubt: %s',
  (sum, delivered, quantity, expected) => {
    expect(compareSummary({ counted: sum, delivered, quantity })).toBe(expected);
  },
);

test('identifiers are trusted for less than 24 hours', () => {
  expect(isStillRemembered(hour, hour + 22 * hourMs)).toBe(true);
  expect(isStillRemembered(hour, hour + 24 * hourMs)).toBe(false);
});

test("an hour that ends a period is told within ten minutes of the period's end", () => {
  expect(meterDelayOf(3_600_000, true)).toBeLessThan(10 * minuteMs);
  expect(meterDelayOf(300_000, true)).toBe(300_000);
  expect(meterDelayOf(3_600_000, false)).toBe(3_600_000);
});
