import type { AccessPolicy } from '../policy.ts';
import { subscriptionStatuses } from '../stripe/subscription.ts';
import type { SubscriptionStatus } from '../stripe/subscription.ts';
import { dayMs } from '../time.ts';
import { endOf, evaluateSubscription } from './evaluate-subscription.ts';
import type { Reason } from './evaluate.ts';
import { reversalOf, reversalOfItem } from './reversal.ts';
import {
  allowanceMs,
  aPayment,
  aReversedPayment,
  aSubscription,
  anItem,
  contextOf,
  now,
  periodEnd,
  periodStart,
} from './sources.test-support.ts';

/** Columns of the table of statuses. */
const policies = {
  default: {},
  strict: { past_due_grace_days: 0, pause_collection: 'deny' },
  lenient: { past_due_grace_days: 30, unpaid: 'allow', paused: 'allow', incomplete: 'allow' },
} satisfies Record<string, Partial<AccessPolicy>>;

type Row = [default_: Reason, strict: Reason, lenient: Reason];

/** Past due for eight days: a day longer than the default grace. */
const statusTable: Record<SubscriptionStatus | 'active, collection paused', Row> = {
  active: ['in_force', 'in_force', 'in_force'],
  'active, collection paused': ['in_force', 'paused', 'in_force'],
  trialing: ['in_force', 'in_force', 'in_force'],
  past_due: ['past_due_grace_over', 'past_due_grace_over', 'past_due_in_grace'],
  unpaid: ['unpaid', 'unpaid', 'in_force'],
  paused: ['paused', 'paused', 'in_force'],
  incomplete: ['incomplete', 'incomplete', 'in_force'],
  incomplete_expired: ['incomplete_expired', 'incomplete_expired', 'incomplete_expired'],
  canceled: ['canceled', 'canceled', 'canceled'],
};

const statusCells = [...subscriptionStatuses, 'active, collection paused' as const].flatMap((named) => {
  const [status, collectionPaused] =
    named === 'active, collection paused' ? (['active', true] as const) : ([named, false] as const);
  const [first, second, third] = statusTable[named];
  return [
    { named, policy: 'default' as const, reason: first },
    { named, policy: 'strict' as const, reason: second },
    { named, policy: 'lenient' as const, reason: third },
  ].map((cell) => ({ ...cell, status, collectionPaused }));
});

describe('status × policy', () => {
  it.each(statusCells)('$named, $policy: $reason', ({ status, collectionPaused, policy, reason }) => {
    const subscription = aSubscription({ status, collectionPaused, pastDueSince: now - 8 * dayMs });
    const [evaluated] = evaluateSubscription(subscription, contextOf(policies[policy]));
    expect(evaluated).toMatchObject({
      reason,
      inForce: reason === 'in_force' || reason === 'past_due_in_grace',
    });
  });
});

const ended = now - 3 * dayMs;
const cancelAt = now + 5 * dayMs;
const year = periodEnd + 335 * dayMs;

describe('cancellation: ended_at × cancel_at × cancel_at_period_end × intervals', () => {
  it.each<[boolean, boolean, boolean, 'one' | 'mixed' | 'none', number | null]>([
    [false, false, false, 'one', null],
    [false, false, false, 'mixed', null],
    [false, false, false, 'none', null],
    [false, false, true, 'one', periodEnd],
    [false, false, true, 'mixed', periodEnd],
    [false, false, true, 'none', null],
    [false, true, false, 'one', cancelAt],
    [false, true, false, 'mixed', cancelAt],
    [false, true, false, 'none', cancelAt],
    [false, true, true, 'one', cancelAt],
    [false, true, true, 'mixed', cancelAt],
    [false, true, true, 'none', cancelAt],
    [true, false, false, 'one', ended],
    [true, false, false, 'mixed', ended],
    [true, false, false, 'none', ended],
    [true, false, true, 'one', ended],
    [true, false, true, 'mixed', ended],
    [true, false, true, 'none', ended],
    [true, true, false, 'one', ended],
    [true, true, false, 'mixed', ended],
    [true, true, false, 'none', ended],
    [true, true, true, 'one', ended],
    [true, true, true, 'mixed', ended],
    [true, true, true, 'none', ended],
  ])('%s × %s × %s × %s', (...[hasEnded, hasCancelAt, cancelAtPeriodEnd, periods, end]) => {
    const items = {
      one: [anItem()],
      mixed: [anItem({ currentPeriodEnd: year }), anItem()],
      // A missing period never means "ends now".
      none: [anItem({ currentPeriodEnd: null })],
    }[periods];
    const subscription = aSubscription({
      endedAt: hasEnded ? ended : null,
      cancelAt: hasCancelAt ? cancelAt : null,
      cancelAtPeriodEnd,
      items,
    });
    expect(endOf(subscription)).toBe(end);
    const ends = evaluateSubscription(subscription, contextOf()).map((evaluated) => evaluated.validTo);
    expect(end === null || ends.every((one) => one === end)).toBe(true);
    const isOver = end !== null && end <= now;
    for (const evaluated of evaluateSubscription(subscription, contextOf())) {
      expect(evaluated.reason).toBe(isOver ? 'canceled' : 'in_force');
    }
  });
});

describe('set end × period: valid_to, and whether it is over', () => {
  const allowed = periodEnd + allowanceMs;
  const awaited = now - allowanceMs / 2;
  const lapsed = now - allowanceMs;
  it.each<[string, number | null, number | null, number | null, Reason]>([
    ['none × running', null, periodEnd, allowed, 'in_force'],
    ['none × renewal awaited', null, awaited, awaited + allowanceMs, 'in_force'],
    ['none × renewal never came', null, lapsed, now, 'period_over'],
    ['none × unknown', null, null, null, 'in_force'],
    ['within × running', cancelAt, periodEnd, cancelAt, 'in_force'],
    ['at its end × running', periodEnd, periodEnd, periodEnd, 'in_force'],
    ['in the allowance × running', periodEnd + 1, periodEnd, periodEnd + 1, 'in_force'],
    ['at the allowance’s end × running', allowed, periodEnd, allowed, 'in_force'],
    ['far beyond × running', year, periodEnd, allowed, 'in_force'],
    ['far beyond × renewal awaited', year, awaited, awaited + allowanceMs, 'in_force'],
    ['far beyond × renewal never came', year, lapsed, now, 'period_over'],
    ['far beyond × unknown', year, null, year, 'in_force'],
    ['passed × running', now, periodEnd, now, 'canceled'],
    ['passed × renewal never came', now - 1, lapsed, now - 1, 'canceled'],
    ['passed × unknown', now, null, now, 'canceled'],
  ])('%s', (...[, end, currentPeriodEnd, validTo, reason]) => {
    for (const status of ['active', 'trialing'] as const) {
      const items = [anItem({ currentPeriodEnd })];
      expect(
        evaluateSubscription(aSubscription({ status, cancelAt: end, items }), contextOf()),
      ).toMatchObject([{ validTo, reason }]);
    }
  });
});

describe('refund: threshold × refunded, of 1000', () => {
  it.each<[number, number, boolean]>([
    [1, 0, false],
    [1, 1, false],
    [1, 999, false],
    [1, 1000, true],
    [0.5, 0, false],
    [0.5, 499, false],
    [0.5, 500, true],
    [0.5, 1000, true],
    [0.07, 69, false],
    [0.07, 70, true],
    [0, 0, false],
    [0, 1, true],
  ])('%d × %d: taken back %s', (partial_refund_threshold, amountRefunded, isTaken) => {
    const { policy } = contextOf({ partial_refund_threshold });
    expect(reversalOf(aPayment({ amountRefunded }), policy)).toBe(isTaken ? 'refunded' : null);
  });
});

describe('dispute: status × rule', () => {
  it.each<[string | null, boolean]>([
    [null, false],
    ['warning_needs_response', false],
    ['warning_under_review', false],
    ['warning_closed', false],
    ['prevented', false],
    ['needs_response', true],
    ['under_review', true],
    ['won', false],
    ['lost', true],
  ])('%s: taken %s, and never where disputes are ignored', (disputeStatus, isTaken) => {
    const payment = aPayment({ disputeStatus });
    expect(reversalOf(payment, contextOf().policy)).toBe(isTaken ? 'disputed' : null);
    expect(reversalOf(payment, contextOf({ dispute: 'ignore' }).policy)).toBeNull();
  });
});

describe('what a payment paid for: its lines × the item', () => {
  const day = dayMs;
  const item = anItem();
  const line = { itemId: 'si_1', stripePriceId: 'price_1', periodStart, periodEnd };
  it.each<[string, object[], boolean]>([
    ['the item and its period', [line], true],
    ['the item, after its price was changed', [{ ...line, stripePriceId: 'price_old' }], true],
    ['the price, after its item was replaced', [{ ...line, itemId: 'si_old' }], true],
    ['the price, of a line that names no item', [{ ...line, itemId: null }], true],
    ['another item and price', [{ ...line, itemId: 'si_2', stripePriceId: 'price_2' }], false],
    ['another one and this one', [{ ...line, itemId: 'si_2', stripePriceId: 'price_2' }, line], true],
    ['a longer period', [{ ...line, periodStart: periodStart - day, periodEnd: periodEnd + day }], true],
    ['a period that begins later', [{ ...line, periodStart: periodStart + 1 }], false],
    ['a period that ends earlier', [{ ...line, periodEnd: periodEnd - 1 }], false],
    ['the period before', [{ ...line, periodStart: periodStart - 30 * day, periodEnd: periodStart }], false],
    ['the period after', [{ ...line, periodStart: periodEnd, periodEnd: periodEnd + 30 * day }], false],
    // Prorations, free periods and one-time lines are no covers.
    ['nothing but such lines', [], false],
  ])('%s', (_what, covers, isTaken) => {
    const lines = covers.map((one) => ({ ...line, ...one }));
    for (const fields of [{ amountRefunded: 1000 }, { disputeStatus: 'lost' }]) {
      const payments = [aReversedPayment({ covers: lines, ...fields })];
      expect(reversalOfItem(item, payments, contextOf().policy) !== null).toBe(isTaken);
    }
  });

  it.each(['currentPeriodStart', 'currentPeriodEnd'] as const)(
    'an item without %s is not covered',
    (field) => {
      const unknown = anItem({ [field]: null });
      expect(
        reversalOfItem(unknown, [aReversedPayment({ amountRefunded: 1000 })], contextOf().policy),
      ).toBeNull();
    },
  );
});

describe('refunds of several payments: threshold × refunded of the invoice’s total of 1000', () => {
  it.each<[number, [invoiceId: string, refunded: number][], boolean]>([
    [1, [['in_1', 999]], false],
    [
      1,
      [
        ['in_1', 400],
        ['in_1', 600],
      ],
      true,
    ],
    [
      1,
      [
        ['in_1', 400],
        ['in_1', 599],
      ],
      false,
    ],
    [
      1,
      [
        ['in_1', 500],
        ['in_2', 500],
      ],
      false,
    ],
    [
      1,
      [
        ['in_1', 500],
        ['in_2', 1000],
      ],
      true,
    ],
    [
      0.5,
      [
        ['in_1', 250],
        ['in_1', 249],
      ],
      false,
    ],
    [
      0.5,
      [
        ['in_1', 250],
        ['in_1', 250],
      ],
      true,
    ],
    [0, [['in_1', 1]], true],
  ])('%d × %j: taken back %s', (partial_refund_threshold, refunds, isTaken) => {
    const payments = refunds.map(([invoiceId, amountRefunded]) =>
      aReversedPayment({ invoiceId, amountRefunded }),
    );
    const { policy } = contextOf({ partial_refund_threshold });
    expect(reversalOfItem(anItem(), payments, policy)).toBe(isTaken ? 'refunded' : null);
  });

  it('of an unknown total nothing is refunded enough, and a dispute counts all the same', () => {
    const unknown = { amount: null, amountRefunded: 1000 };
    const { policy } = contextOf({ partial_refund_threshold: 0 });
    expect(reversalOfItem(anItem(), [aReversedPayment(unknown)], policy)).toBeNull();
    const disputed = [aReversedPayment(unknown), aReversedPayment({ disputeStatus: 'under_review' })];
    expect(reversalOfItem(anItem(), disputed, policy)).toBe('disputed');
  });

  it('sums are exact where doubles are not', () => {
    const half = { amount: Number.MAX_SAFE_INTEGER, amountRefunded: Number.MAX_SAFE_INTEGER };
    const { policy } = contextOf();
    expect(reversalOfItem(anItem(), [aReversedPayment(half), aReversedPayment(half)], policy)).toBe(
      'refunded',
    );
    const less = [2 ** 52, 2 ** 52 - 2].map((amountRefunded) =>
      aReversedPayment({ amount: Number.MAX_SAFE_INTEGER, amountRefunded }),
    );
    expect(reversalOfItem(anItem(), less, policy)).toBeNull();
  });
});
