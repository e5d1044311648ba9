import type { AccessPolicy } from '../policy.ts';
import { dayMs } from '../time.ts';
import { evaluateGrant, evaluatePurchases } from './evaluate.ts';
import type { Reason } from './evaluate.ts';
import { reversalOf } from './reversal.ts';
import { aBoughtItem, aGrant, aPayment, aPurchase, contextOf, now } from './sources.test-support.ts';
import type { GrantSource, PaymentState, PurchaseSource } from './sources.ts';

const tomorrow = now + dayMs;
const yesterday = now - dayMs;

const big = (amount: number) => ({ amount, amountRefunded: amount });

describe('refunds and disputes', () => {
  it.each<[string, Partial<PaymentState>, Partial<AccessPolicy>, 'refunded' | 'disputed' | null]>([
    ['nothing', {}, {}, null],
    ['nothing, at a threshold of 0', {}, { partial_refund_threshold: 0 }, null],
    ['a part', { amountRefunded: 999 }, {}, null],
    ['all', { amountRefunded: 1000 }, {}, 'refunded'],
    ['more than all', { amountRefunded: 1001 }, {}, 'refunded'],
    [
      'half, at a threshold of a half',
      { amountRefunded: 500 },
      { partial_refund_threshold: 0.5 },
      'refunded',
    ],
    ['less than half, at a half', { amountRefunded: 499 }, { partial_refund_threshold: 0.5 }, null],
    [
      'exactly 7 %, in binary fractions',
      { amount: 100, amountRefunded: 7 },
      { partial_refund_threshold: 0.07 },
      'refunded',
    ],
    ['a cent, at a threshold of 0', { amountRefunded: 1 }, { partial_refund_threshold: 0 }, 'refunded'],
    ['all of what doubles are too coarse for', big(700_000_000_003), {}, 'refunded'],
    ['all but one', { ...big(700_000_000_003), amountRefunded: 700_000_000_002 }, {}, null],
    ['all of the greatest amount', big(Number.MAX_SAFE_INTEGER), {}, 'refunded'],
    [
      'all but one of the greatest',
      { ...big(Number.MAX_SAFE_INTEGER), amountRefunded: Number.MAX_SAFE_INTEGER - 1 },
      {},
      null,
    ],
    [
      'exactly 7 % of a great amount',
      { amount: 900_719_925_474_000, amountRefunded: 63_050_394_783_180 },
      { partial_refund_threshold: 0.07 },
      'refunded',
    ],
    [
      'one less than that',
      { amount: 900_719_925_474_000, amountRefunded: 63_050_394_783_179 },
      { partial_refund_threshold: 0.07 },
      null,
    ],
    [
      'a threshold with an exponent',
      { amount: 10_000_000, amountRefunded: 1 },
      { partial_refund_threshold: 1e-7 },
      'refunded',
    ],
    [
      'less than such a threshold',
      { amount: 10_000_001, amountRefunded: 1 },
      { partial_refund_threshold: 1e-7 },
      null,
    ],
    ['a part of an unknown amount', { amount: null, amountRefunded: 5 }, {}, null],
    ['a free order', { amount: 0 }, {}, null],
    ['needs_response', { disputeStatus: 'needs_response' }, {}, 'disputed'],
    ['under_review', { disputeStatus: 'under_review' }, {}, 'disputed'],
    ['lost', { disputeStatus: 'lost' }, {}, 'disputed'],
    ['won', { disputeStatus: 'won' }, {}, null],
    ['prevented', { disputeStatus: 'prevented' }, {}, null],
    ['warning_needs_response', { disputeStatus: 'warning_needs_response' }, {}, null],
    ['warning_under_review', { disputeStatus: 'warning_under_review' }, {}, null],
    ['warning_closed', { disputeStatus: 'warning_closed' }, {}, null],
    ['lost, ignored', { disputeStatus: 'lost' }, { dispute: 'ignore' }, null],
    ['refunded and lost', { amountRefunded: 1000, disputeStatus: 'lost' }, {}, 'refunded'],
  ])('%s', (_what, payment, policy, expected) => {
    expect(reversalOf(aPayment(payment), contextOf(policy).policy)).toBe(expected);
  });
});

describe('a purchase', () => {
  const item = aBoughtItem();
  it.each<[string, Partial<PurchaseSource>, Reason, number | null]>([
    ['paid, for ever', {}, 'in_force', null],
    ['pending', { status: 'pending', paidAt: null }, 'payment_pending', null],
    ['failed', { status: 'failed', paidAt: null }, 'payment_failed', null],
    ['two days, the first', { items: [{ ...item, accessDays: 2 }] }, 'in_force', tomorrow],
    ['one day, over to the millisecond', { items: [{ ...item, accessDays: 1 }] }, 'period_over', now],
    ['two pieces of one day', { items: [{ ...item, quantity: 2, accessDays: 1 }] }, 'in_force', tomorrow],
    ['no piece', { items: [{ ...item, quantity: 0 }] }, 'quantity_zero', null],
    [
      'no piece of some days',
      { items: [{ ...item, quantity: 0, accessDays: 9 }] },
      'quantity_zero',
      yesterday,
    ],
    [
      'no piece, refunded',
      { payment: aPayment({ amountRefunded: 1000 }), items: [{ ...item, quantity: 0 }] },
      'refunded',
      null,
    ],
    ['paid by a clock that runs ahead', { paidAt: tomorrow }, 'in_force', null],
    ['refunded', { payment: aPayment({ amountRefunded: 1000 }) }, 'refunded', null],
    [
      'refunded and over',
      { payment: aPayment({ amountRefunded: 1000 }), items: [{ ...item, accessDays: 1 }] },
      'refunded',
      now,
    ],
    ['disputed', { payment: aPayment({ disputeStatus: 'lost' }) }, 'disputed', null],
    ['unmapped', { items: [{ ...item, featureCodes: null }] }, 'unmapped_price', null],
    [
      'unmapped, pending',
      { status: 'pending', paidAt: null, items: [{ ...item, featureCodes: null }] },
      'payment_pending',
      null,
    ],
  ])('%s', (_what, fields, reason, validTo) => {
    const [evaluation] = evaluatePurchases([aPurchase(fields)], contextOf());
    expect(evaluation).toMatchObject({
      reason,
      validTo,
      inForce: reason === 'in_force',
      currentPeriodEnd: null,
    });
  });
});

describe('a purchase by a hint, where the project accepts none,', () => {
  const context = contextOf({ accept_buyer_hints: 'quarantine' });
  const pass = [{ ...aBoughtItem(), accessDays: 2 }];
  const own = aPurchase({ id: 'pi_own', ownerSource: 'mapping', items: pass });
  const hinted = aPurchase({ id: 'pi_hint', ownerSource: 'buyer_hint', items: pass });

  it('grants nothing, and adds no days to another', () => {
    expect(evaluatePurchases([own, hinted], context)).toMatchObject([
      { sourceId: 'pi_own', reason: 'in_force', validTo: tomorrow },
      { sourceId: 'pi_hint', reason: 'buyer_hint', inForce: false },
    ]);
  });

  it('does both elsewhere', () => {
    const both = evaluatePurchases([own, hinted], contextOf());
    expect(both.map(({ reason, validTo }) => [reason, validTo])).toEqual([
      ['in_force', tomorrow + 2 * dayMs],
      ['in_force', tomorrow + 2 * dayMs],
    ]);
  });
});

describe('a grant', () => {
  it.each<[string, Partial<GrantSource>, Reason]>([
    ['without an end', {}, 'in_force'],
    ['from this millisecond', { validFrom: now }, 'in_force'],
    ['from the next', { validFrom: now + 1 }, 'not_started'],
    ['until the next', { validTo: now + 1 }, 'in_force'],
    ['until this', { validTo: now }, 'period_over'],
    ['revoked', { revokedAt: yesterday }, 'revoked'],
    ['revoked before it began', { validFrom: tomorrow, revokedAt: yesterday }, 'revoked'],
  ])('%s', (_what, fields, reason) => {
    expect(evaluateGrant(aGrant(fields), contextOf())).toMatchObject({
      reason,
      inForce: reason === 'in_force',
      status: reason === 'revoked' ? 'revoked' : 'granted',
    });
  });
});
