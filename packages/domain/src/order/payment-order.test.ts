import * as fc from 'fast-check';
import { noClaims, userClaim } from '../stripe/claims.ts';
import type { StripeLookup } from './lookup.ts';
import { mergePurchase } from './merge-purchase.ts';
import type { PurchaseFacts } from './merge-purchase.ts';
import { unknownPurchase } from './purchase-row.ts';
import type { PurchaseRow } from './purchase-row.ts';
import { resolvePurchase } from './resolve-purchase.ts';
import type { PaymentDetails } from './resolve-purchase.ts';
import type { ChargeDetails } from './reversals.ts';

const nothing: Omit<PurchaseFacts, 'created' | 'eventId'> = {
  claimSource: null,
  sessionId: null,
  chargeId: 'ch_1',
  invoiceId: null,
  customerId: null,
  claims: noClaims,
  status: null,
  amount: null,
  currency: null,
  capture: null,
  amountRefunded: null,
  refund: null,
  dispute: null,
  invoice: null,
  items: null,
  mayHoldMore: false,
};

/** Delivers events one by one; Stripe answers `lookup` whenever it is asked. */
function play(events: readonly PurchaseFacts[], lookup: StripeLookup<PaymentDetails>): PurchaseRow {
  let row = unknownPurchase('pi_1');
  for (const event of events) {
    const merged = mergePurchase(row, event);
    const asked = resolvePurchase(merged, { lookup: null, now: 7 });
    const step = asked.kind === 'needs_lookup' ? resolvePurchase(merged, { lookup, now: 7 }) : asked;
    if (step.kind === 'needs_lookup') throw new Error('asked twice');
    row = step.row;
  }
  return row;
}

/** Without the fields that only later events need. */
const compared = ({
  record: _record,
  recheckAt: _recheck,
  missingInStripeAt: _missing,
  ...row
}: PurchaseRow) => row;

type Life = { events: PurchaseFacts[]; truth: PaymentDetails; returned: number; dispute: string | null };

/**
 * A payment's life as Stripe renders it: it is paid (with events of a session and a charge), refunds are made,
 * some fail, disputes are opened and closed; each step in the same second as the one before, or later.
 */
const life = fc
  .record({
    waits: fc.array(fc.constantFrom(0, 0, 1), { minLength: 12, maxLength: 12 }),
    refunds: fc.array(fc.record({ amount: fc.constantFrom(1_000, 900), fails: fc.boolean() }), {
      maxLength: 3,
    }),
    order: fc.boolean(),
    dispute: fc.constantFrom(null, 'won', 'lost', 'open'),
    hasRefundEvents: fc.boolean(),
  })
  .map(({ waits, refunds, order, dispute, hasRefundEvents }): Life => {
    const events: PurchaseFacts[] = [];
    const clock = { now: 1_000, next: 0 };
    const happen = (facts: Partial<PurchaseFacts>): void => {
      events.push({ ...nothing, ...facts, created: clock.now, eventId: `evt_${events.length}` });
    };
    const wait = (): void => {
      clock.now += waits[clock.next % waits.length] ?? 0;
      clock.next += 1;
    };
    const items = [{ stripePriceId: 'price_once', quantity: 1 }];
    const claims = { projectId: 'shop', ...userClaim('ann', null) };
    const paid = { status: 'paid' as const, amount: 4_900, currency: 'usd', items };
    happen({ ...paid, claimSource: 'charge', amountRefunded: 0 });
    happen({ ...paid, claimSource: 'payment_intent' });
    happen({
      ...paid,
      claimSource: 'session',
      sessionId: 'cs_1',
      chargeId: null,
      customerId: 'cus_1',
      claims,
    });
    let returned = 0;
    const listed: ChargeDetails['refunds'] = [];
    const made = refunds.map(({ amount, fails }, index) => {
      wait();
      returned += amount;
      const refund = { id: `re_${index}`, amount, createdAt: clock.now, status: 'succeeded' };
      if (hasRefundEvents || fails) happen({ refund });
      happen({ ...paid, claimSource: 'charge', amountRefunded: returned });
      if (fails && order) {
        wait();
        returned -= amount;
        happen({ refund: { ...refund, status: 'failed' } });
      }
      listed.push({ ...refund, status: fails ? 'failed' : 'succeeded' });
      return { refund, fails };
    });
    for (const { refund, fails } of order ? [] : made) {
      if (!fails) continue;
      wait();
      returned -= refund.amount;
      happen({ refund: { ...refund, status: 'failed' } });
    }
    if (dispute !== null) {
      wait();
      happen({ dispute: { id: 'dp_1', status: 'needs_response' } });
      wait();
      if (dispute !== 'open') happen({ dispute: { id: 'dp_1', status: dispute } });
    }
    return {
      events,
      returned,
      dispute: dispute === 'open' ? 'needs_response' : dispute,
      truth: {
        lineItems: null,
        invoice: { id: null },
        intent: { status: 'paid', capture: null, paidAt: null },
        charge: { chargeId: 'ch_1', amount: 4_900, amountRefunded: returned, capture: null, refunds: listed },
      },
    };
  });

const shuffledLife = life.chain((one) => {
  const twice = [...one.events, ...one.events];
  const all = { minLength: twice.length, maxLength: twice.length };
  return fc.record({ life: fc.constant(one), order: fc.shuffledSubarray(twice, all) });
});

describe('the order of arrival does not matter for a payment', () => {
  it('Stripe in reach: the amount returned is Stripe’s', () => {
    fc.assert(
      fc.property(shuffledLife, ({ life: { events, truth, returned, dispute }, order }) => {
        const row = play(order, { kind: 'found', object: truth });
        expect(row).toMatchObject({ amountRefunded: returned, disputeStatus: dispute, confirmed: true });
        expect(compared(row)).toEqual(compared(play(events, { kind: 'found', object: truth })));
      }),
      { numRuns: Number(process.env['PROPERTY_RUNS'] ?? 1_000) },
    );
  });

  it.each(['unreachable', 'missing'] as const)('Stripe %s: one best state', (kind) => {
    fc.assert(
      fc.property(shuffledLife, ({ life: { events }, order }) => {
        expect(compared(play(order, { kind }))).toEqual(compared(play(events, { kind })));
      }),
      { numRuns: Number(process.env['PROPERTY_RUNS'] ?? 1_000) },
    );
  });

  it('whatever session, PaymentIntent and charge disagree about', () => {
    const facts = fc.record({
      claimSource: fc.constantFrom('session' as const, 'payment_intent' as const, 'charge' as const),
      status: fc.constantFrom(null, 'pending' as const, 'failed' as const, 'paid' as const),
      amount: fc.constantFrom(null, 4_900),
      created: fc.integer({ min: 1, max: 4 }),
      customerId: fc.constantFrom(null, 'cus_1', 'cus_2'),
      userId: fc.constantFrom(null, 'ann', 'bob'),
      price: fc.constantFrom(null, 'price_a', 'price_b'),
      quantity: fc.integer({ min: 1, max: 2 }),
    });
    const lives = fc.array(facts, { minLength: 1, maxLength: 7 }).chain((parts) => {
      const events = parts.map(({ userId, price, quantity, ...part }, index): PurchaseFacts => ({
        ...nothing,
        ...part,
        sessionId: part.claimSource === 'session' ? 'cs_1' : null,
        claims: { projectId: null, ...userClaim(userId, null) },
        currency: 'usd',
        items: price === null ? null : [{ stripePriceId: price, quantity }],
        eventId: `evt_${index}`,
      }));
      const all = { minLength: events.length, maxLength: events.length };
      return fc.tuple(fc.constant(events), fc.shuffledSubarray(events, all));
    });
    const lineItems = [{ stripePriceId: 'price_read', quantity: 1 }];
    const intent = { status: 'pending' as const, capture: null, paidAt: null };
    fc.assert(
      fc.property(lives, ([events, order]) => {
        const lookup = { kind: 'found' as const, object: { lineItems, charge: null, invoice: null, intent } };
        expect(compared(play(order, lookup))).toEqual(compared(play(events, lookup)));
      }),
      { numRuns: Number(process.env['PROPERTY_RUNS'] ?? 1_000) },
    );
  });
});
