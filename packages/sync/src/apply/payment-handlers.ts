import { captureOfCharge, captureOfIntent, noClaims, toInvoiceDetails } from '@billing/domain';
import type {
  ChargeFacts,
  CheckoutSessionFacts,
  DisputeFacts,
  InvoiceFacts,
  PaymentIntentFacts,
  PurchaseStatus,
  RefundFacts,
} from '@billing/domain';
import type { PaymentChange, Target } from './target.ts';

export const ignored = (reason: string): Target => ({ kind: 'none', status: 'ignored', reason });

/** What an event about a payment leaves open by default. */
export const noChange: PaymentChange = {
  claimSource: null,
  sessionId: null,
  chargeId: null,
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
  priceId: null,
  quantity: 1,
  subtotal: null,
  mayHoldMore: false,
  sold: null,
  isForKnown: false,
};

const purchase = (id: string, change: Partial<PaymentChange>): Target => ({
  kind: 'purchase',
  id,
  change: { ...noChange, ...change },
});

export type SessionOutcome = 'completed' | 'failed';

/** A checkout session of mode `payment` that ended. */
export function paymentSession(facts: CheckoutSessionFacts, outcome: SessionOutcome): Target {
  const status = facts.paymentStatus === 'unpaid' ? 'pending' : 'paid';
  return purchase(facts.paymentIntentId ?? facts.id, {
    claimSource: 'session',
    sessionId: facts.id,
    invoiceId: facts.invoiceId,
    customerId: facts.customerId,
    claims: facts.claims,
    status: outcome === 'failed' ? 'failed' : status,
    amount: facts.amount,
    currency: facts.currency,
    priceId: facts.priceId,
    quantity: facts.quantity,
    subtotal: facts.subtotal,
    mayHoldMore: facts.hasOptionalItems,
  });
}

/** What a paid invoice sells besides a subscription's items: a purchase, keyed by the invoice. */
export const invoicePurchase = (facts: InvoiceFacts): Target =>
  purchase(facts.id, {
    claimSource: 'invoice',
    customerId: facts.customerId,
    claims: facts.claims,
    status: 'paid',
    amount: facts.total,
    currency: facts.currency,
    invoice: toInvoiceDetails(facts),
    mayHoldMore: !facts.areLinesComplete,
    sold: facts.sold,
  });

/**
 * Without our metadata a payment does not say that anything was bought: it is a subscription's, or its session's event
 * says so. It still reports what became of the money of a purchase that is known.
 */
export function paymentIntent(facts: PaymentIntentFacts, status: 'paid' | 'failed'): Target {
  const { claims, priceId, quantity } = facts.own;
  const outcome = {
    status,
    capture: status === 'failed' ? null : captureOfIntent(facts),
  } as const;
  if (priceId === null) return purchase(facts.id, { ...outcome, isForKnown: true });
  return purchase(facts.id, {
    ...outcome,
    claimSource: 'payment_intent',
    chargeId: facts.chargeId,
    invoiceId: facts.invoiceId,
    customerId: facts.customerId,
    claims,
    amount: facts.amount,
    currency: facts.currency,
    priceId,
    quantity,
  });
}

export type ChargeEvent = 'succeeded' | 'captured' | 'expired' | 'refunded';

function statusOf(facts: ChargeFacts, event: ChargeEvent): PurchaseStatus {
  if (event === 'expired') return 'failed';
  // An authorisation is not money.
  return facts.isPaid ? 'paid' : 'pending';
}

/**
 * A refund counts also where the purchase is not known yet (its session may come later), and where the payment is an
 * invoice's, which an old rendering says.
 */
export function charge(facts: ChargeFacts, event: ChargeEvent): Target {
  const { claims, priceId, quantity } = facts.own;
  const id = facts.paymentIntentId ?? facts.id;
  const outcome = {
    status: statusOf(facts, event),
    capture: captureOfCharge(facts),
  } as const;
  // What is released of an authorisation was never paid, so it is no refund.
  const isRefund = event === 'refunded' && facts.isPaid;
  if (priceId === null && !isRefund) return purchase(id, { ...outcome, isForKnown: true });
  return purchase(id, {
    ...outcome,
    ...(priceId === null ? { status: null } : {}),
    claimSource: 'charge',
    chargeId: facts.id,
    invoiceId: facts.invoiceId,
    customerId: facts.customerId,
    claims,
    amount: facts.amount,
    currency: facts.currency,
    amountRefunded: facts.isPaid ? facts.amountRefunded : null,
    priceId,
    quantity,
  });
}

export function refund({ id, status, amount, createdAt, ...facts }: RefundFacts): Target {
  const paymentId = facts.paymentIntentId ?? facts.chargeId;
  if (paymentId === null) return ignored('no_purchase');
  const { chargeId } = facts;
  return purchase(paymentId, { chargeId, refund: { id, status, amount: amount ?? 0, createdAt } });
}

export function dispute({ id, status, paymentIntentId, chargeId }: DisputeFacts): Target {
  const paymentId = paymentIntentId ?? chargeId;
  if (paymentId === null || status === null) return ignored('no_purchase');
  return purchase(paymentId, { chargeId, dispute: { id, status } });
}
