import { noClaims } from '@billing/domain';
import type {
  ChargeFacts,
  CheckoutSessionFacts,
  DisputeFacts,
  PaymentIntentFacts,
  RefundFacts,
} from '@billing/domain';
import type { PaymentChange, Target } from './target.ts';

export const ignored = (reason: string): Target => ({ kind: 'none', status: 'ignored', reason });

/** What an event about a payment leaves open by default. */
const noChange: PaymentChange = {
  claimSource: null,
  sessionId: null,
  chargeId: null,
  invoiceId: null,
  customerId: null,
  claims: noClaims,
  status: null,
  amount: null,
  currency: null,
  amountRefunded: null,
  refund: null,
  dispute: null,
  priceId: null,
  quantity: 1,
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
    customerId: facts.customerId,
    claims: facts.claims,
    status: outcome === 'failed' ? 'failed' : status,
    amount: facts.amount,
    currency: facts.currency,
    priceId: facts.priceId,
    quantity: facts.quantity,
  });
}

/** Without our metadata a payment is no purchase: it is a subscription's, or its session's event says what it bought. */
export function paymentIntent(facts: PaymentIntentFacts): Target {
  const { claims, priceId, quantity } = facts.own;
  if (priceId === null || facts.invoiceId !== null) return ignored('no_purchase');
  return purchase(facts.id, {
    claimSource: 'payment_intent',
    chargeId: facts.chargeId,
    customerId: facts.customerId,
    claims,
    status: 'paid',
    amount: facts.amount,
    currency: facts.currency,
    priceId,
    quantity,
  });
}

/**
 * A refund counts also where the purchase is not known yet (its session may come later), and where the payment is a
 * subscription's, which an old rendering says by its invoice.
 */
export function charge(facts: ChargeFacts, { isRefund }: { isRefund: boolean }): Target {
  const { claims, priceId, quantity } = facts.own;
  const isBought = priceId !== null && facts.isPaid && facts.invoiceId === null;
  if (!isBought && !isRefund) return ignored('no_purchase');
  return purchase(facts.paymentIntentId ?? facts.id, {
    claimSource: 'charge',
    chargeId: facts.id,
    invoiceId: facts.invoiceId,
    customerId: facts.customerId,
    claims,
    status: isBought ? 'paid' : null,
    amount: facts.amount,
    currency: facts.currency,
    amountRefunded: facts.amountRefunded,
    priceId: facts.invoiceId === null ? priceId : null,
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
