import * as fc from 'fast-check';
import { dayMs } from '../time.ts';
import { reconcileSubscription } from './reconcile-subscription.ts';
import { incomingOf } from './snapshots.test-support.ts';
import { applyLookup, stepSnapshot } from './step-subscription.ts';
import { unknownSubscription } from './subscription-row.ts';
import type { SubscriptionRow } from './subscription-row.ts';
import { noItemPrice } from '../stripe/price.ts';
import type { SubscriptionSnapshot, SubscriptionStatus } from '../stripe/subscription.ts';

/** Days of 2026; a subscription with monthly invoices, of which that of day 0 is not paid. */
const day = (count: number): number => Date.UTC(2026, 0, 1) + count * dayMs;

type Read = { at: number; status?: SubscriptionStatus; invoice?: number; due?: number | null };

const snapshotAt = ({ status = 'past_due', invoice = 0, due = null }: Read): SubscriptionSnapshot =>
  incomingOf({
    created: 0,
    status,
    latestInvoiceId: `in_${invoice}`,
    latestInvoiceCreatedAt: day(invoice),
    latestInvoiceDueAt: due === null ? null : day(due),
    items: [
      {
        itemId: 'si_1',
        stripePriceId: 'price_1',
        quantity: 1,
        currentPeriodStart: day(invoice),
        currentPeriodEnd: day(invoice + 30),
        firstPeriodStart: day(invoice),
        ...noItemPrice,
      },
    ],
  }).snapshot;

/** Reconcile or import, on a day. */
const listed =
  (read: Read) =>
  (row: SubscriptionRow): SubscriptionRow =>
    reconcileSubscription(row, { snapshot: snapshotAt(read), createdAt: day(-60), readAt: day(read.at) });

/** A recheck, on a day. */
const rechecked =
  (read: Read) =>
  (row: SubscriptionRow): SubscriptionRow =>
    applyLookup(row, snapshotAt(read), { at: row.snapshotAt, eventId: null, now: day(read.at) });

/** An event that was created on a day; its invoice is an id only. */
const heard =
  (read: Read) =>
  (row: SubscriptionRow): SubscriptionRow => {
    const snapshot = { ...snapshotAt(read), latestInvoiceCreatedAt: null, latestInvoiceDueAt: null };
    const incoming = { snapshot, created: day(read.at), eventId: `evt_${read.at}` };
    const step = stepSnapshot(row, incoming, { lookup: null, now: day(read.at) });
    if (step.kind !== 'write') throw new Error('no tie here');
    return step.row;
  };

type Step = (row: SubscriptionRow) => SubscriptionRow;
const after = (...steps: Step[]): SubscriptionRow =>
  steps.reduce((row, step) => step(row), unknownSubscription('sub_1'));
const sinceDay = ({ pastDueSince }: SubscriptionRow): number | null =>
  pastDueSince === null ? null : (pastDueSince - day(0)) / dayMs;

describe('since when a subscription is past due', () => {
  it.each<[string, Step[], number | null]>([
    ['a read alone: the invoice that waits to be paid', [listed({ at: 3 })], 0],
    ['send_invoice: the due date of its invoice, not its creation', [listed({ at: 20, due: 14 })], 14],
    ['send_invoice, by a recheck', [rechecked({ at: 20, due: 14 })], 14],
    [
      'the start does not move with each new invoice, so that the grace ends',
      [listed({ at: 3 }), listed({ at: 31, invoice: 30 }), listed({ at: 61, invoice: 60 })],
      0,
    ],
    [
      'nor by rechecks, nor with a due date',
      [rechecked({ at: 16, due: 14 }), rechecked({ at: 46, invoice: 30, due: 44 })],
      14,
    ],
    [
      'a new invoice that is not due yet is not the one that was not paid',
      [listed({ at: 31, invoice: 30, due: 44 })],
      30,
    ],
    ['events alone: the first of them', [heard({ at: 1 }), heard({ at: 5 })], 1],
    [
      'the events first, then reads',
      [heard({ at: 1 }), listed({ at: 3 }), listed({ at: 31, invoice: 30 })],
      1,
    ],
    ['a read first, then the event of the start', [listed({ at: 3 }), heard({ at: 1 })], 1],
    ['a read first, then a later event that is not the start', [listed({ at: 3 }), heard({ at: 9 })], 0],
    [
      'a read first, then a later event, then that of the start',
      [listed({ at: 3 }), heard({ at: 9 }), heard({ at: 1 })],
      1,
    ],
    [
      'paid and past due again: a new start',
      [listed({ at: 3 }), listed({ at: 10, status: 'active' }), listed({ at: 33, invoice: 30 })],
      30,
    ],
    [
      'paid, by an event, and past due again',
      [listed({ at: 3 }), heard({ at: 10, status: 'active' }), listed({ at: 33, invoice: 30 })],
      30,
    ],
    [
      'paid and past due again, the later event first',
      [listed({ at: 3 }), heard({ at: 31, invoice: 30 }), heard({ at: 10, status: 'active' })],
      31,
    ],
    [
      'the event of the time before that is heard late',
      [listed({ at: 3 }), heard({ at: -2, status: 'active' }), listed({ at: 31, invoice: 30 })],
      0,
    ],
    ['not past due', [listed({ at: 3 }), listed({ at: 10, status: 'active' })], null],
  ])('%s', (_what, steps, expected) => {
    expect(sinceDay(after(...steps))).toBe(expected);
  });

  it('what an older version read stays, and only becomes the due date of the same invoice', () => {
    const old = { ...after(listed({ at: 3 })), pastDueReadSince: null, pastDueReadAt: null };
    expect(sinceDay(listed({ at: 31, invoice: 30 })(old))).toBe(0);
    expect(sinceDay(listed({ at: 16, due: 14 })(old))).toBe(14);
  });

  it('under a test clock that runs ahead of ours the events decide', () => {
    const ahead =
      (step: Read): Step =>
      (row) =>
        reconcileSubscription(row, { snapshot: snapshotAt(step), createdAt: day(-60), readAt: day(-30) });
    expect(sinceDay(after(ahead({ at: 0 }), heard({ at: 1 })))).toBe(1);
    expect(sinceDay(after(ahead({ at: 0, due: 14 })))).toBe(14);
    expect(sinceDay(after(ahead({ at: 0 }), ahead({ at: 0, invoice: 30 })))).toBe(0);
  });
});

/** A run of being past due, perhaps after others: statuses by day, the last of them past due. */
const life = fc
  .array(fc.constantFrom('active' as const, 'past_due' as const), { minLength: 1, maxLength: 8 })
  .map((statuses) => [...statuses, 'past_due' as const])
  .chain((statuses) => {
    const days = statuses.map((status, at) => ({ at: at * 2, status }));
    return fc.record({
      order: fc.shuffledSubarray(days, { minLength: days.length, maxLength: days.length }),
      days: fc.constant(days),
      /** Reads of Stripe at the end, somewhere between the events. */
      reads: fc.array(fc.nat({ max: days.length }), { maxLength: 3 }),
    });
  });

it('the start is that of the last run, in any order of its events and with any reads between them', () => {
  fc.assert(
    fc.property(life, ({ days, order, reads }) => {
      const lastOther = days.findLastIndex(({ status }) => status === 'active');
      const end = days.length * 2;
      const read = listed({ at: end, invoice: end - 1 });
      const steps = order.flatMap((one, index) => [
        ...reads.filter((at) => at === index).map(() => read),
        heard(one),
      ]);
      expect(sinceDay(after(...steps, read))).toBe((lastOther + 1) * 2);
    }),
    { numRuns: Number(process.env['PROPERTY_RUNS'] ?? 1_000) },
  );
});
