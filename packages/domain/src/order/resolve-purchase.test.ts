import { noClaims } from '../stripe/claims.ts';
import { derivePurchase } from './merge-purchase.ts';
import { unknownPurchase } from './purchase-row.ts';
import { resolvePurchase } from './resolve-purchase.ts';
import type { PaymentDetails } from './resolve-purchase.ts';
import { noReversals, withRefund } from './reversals.ts';

const notAsked: PaymentDetails = { lineItems: null, charge: null, invoice: null, intent: null };
const rest = { id: 're_1', status: 'succeeded', amount: 4_000, createdAt: 5 };

/** A session that left the money outstanding, and a refund whose charge is not known to be captured in part. */
const unknown = unknownPurchase('pi_1');
const outstanding = derivePurchase({
  ...unknown,
  sessionId: 'cs_1',
  chargeId: 'ch_1',
  record: {
    ...unknown.record,
    said: {
      session: {
        at: 3,
        eventId: 'evt_1',
        customerId: null,
        claims: noClaims,
        amount: 10_000,
        currency: 'usd',
        items: [{ stripePriceId: 'price_1', quantity: 1 }],
      },
    },
    money: withRefund(noReversals, rest, 5),
  },
});

test('what a lookup shows may raise another question, which is asked soon', () => {
  const intent = {
    status: 'paid' as const,
    capture: { amount: 10_000, captured: 6_000, leastRefunded: null },
    paidAt: 4,
  };
  const asked = resolvePurchase(outstanding, { lookup: null, now: 10 });
  expect(asked).toMatchObject({ kind: 'needs_lookup', query: { intent: 'pi_1', charge: null } });
  const first = resolvePurchase(outstanding, {
    lookup: { kind: 'found', object: { ...notAsked, intent } },
    now: 10,
  });
  expect(first).toMatchObject({
    kind: 'write',
    row: { status: 'paid', confirmed: false, missingInStripeAt: null, recheckAt: expect.any(Number) },
  });
  const capture = { ...intent.capture, leastRefunded: 4_000 };
  const charge = { chargeId: 'ch_1', amount: 10_000, amountRefunded: 4_000, capture, refunds: [rest] };
  const row = first.kind === 'write' ? first.row : outstanding;
  const second = resolvePurchase(row, {
    lookup: { kind: 'found', object: { ...notAsked, charge } },
    now: 20,
  });
  expect(second).toMatchObject({ row: { confirmed: true, recheckAt: null, amountRefunded: 0 } });
});
