import { isOldShape, periodStart } from './event.ts';
import type { StripeShape } from './event.ts';
import type { Metadata } from './subscription.ts';

export type SessionParts = {
  id?: string;
  customer?: string | null;
  mode?: 'payment' | 'subscription' | 'setup';
  paymentStatus?: 'paid' | 'unpaid' | 'no_payment_required';
  paymentIntent?: string | null;
  subscription?: string | null;
  clientReferenceId?: string | null;
  metadata?: Metadata;
  amountTotal?: number;
  /** Before discounts; default: `amountTotal`. */
  amountSubtotal?: number;
  invoice?: string | null;
};

export function sessionObject(parts: SessionParts = {}) {
  const { mode = 'payment' } = parts;
  return {
    id: parts.id ?? 'cs_1',
    object: 'checkout.session',
    customer: parts.customer === undefined ? 'cus_1' : parts.customer,
    customer_details: { email: 'somebody@example.com' },
    client_reference_id: parts.clientReferenceId ?? null,
    mode,
    status: 'complete',
    payment_status: parts.paymentStatus ?? 'paid',
    payment_intent:
      mode === 'payment' ? (parts.paymentIntent === undefined ? 'pi_1' : parts.paymentIntent) : null,
    subscription: mode === 'subscription' ? (parts.subscription ?? 'sub_1') : null,
    invoice: parts.invoice ?? null,
    amount_total: parts.amountTotal ?? 4900,
    amount_subtotal: parts.amountSubtotal ?? parts.amountTotal ?? 4900,
    currency: 'usd',
    metadata: parts.metadata ?? {},
    created: periodStart,
    livemode: false,
  };
}

export type PaymentParts = {
  id?: string;
  customer?: string | null;
  amount?: number;
  metadata?: Metadata;
  paymentIntent?: string;
  charge?: string;
  amountRefunded?: number;
  /** Default: all of it; null: nothing, an authorisation. */
  amountCaptured?: number | null;
  isCanceled?: boolean;
  /** Rendered in the old shape only. */
  invoice?: string | null;
};

export function paymentIntentObject(parts: PaymentParts = {}, shape: StripeShape = 'endive') {
  const amount = parts.amount ?? 4900;
  const { amountCaptured = amount, isCanceled = false } = parts;
  const unpaid = isCanceled ? 'canceled' : 'requires_capture';
  return {
    id: parts.id ?? 'pi_1',
    object: 'payment_intent',
    customer: parts.customer === undefined ? 'cus_1' : parts.customer,
    amount,
    amount_received: isCanceled ? 0 : (amountCaptured ?? 0),
    currency: 'usd',
    status: isCanceled || amountCaptured === null ? unpaid : 'succeeded',
    latest_charge: parts.charge ?? 'ch_1',
    receipt_email: 'somebody@example.com',
    metadata: parts.metadata ?? {},
    created: periodStart,
    livemode: false,
    ...(isOldShape(shape) ? { invoice: parts.invoice ?? null } : {}),
  };
}

export function chargeObject(parts: PaymentParts = {}, shape: StripeShape = 'endive') {
  const amount = parts.amount ?? 4900;
  const { amountRefunded = 0, amountCaptured = amount } = parts;
  return {
    id: parts.id ?? 'ch_1',
    object: 'charge',
    customer: parts.customer === undefined ? 'cus_1' : parts.customer,
    payment_intent: parts.paymentIntent ?? 'pi_1',
    amount,
    amount_captured: amountCaptured ?? 0,
    captured: amountCaptured !== null,
    amount_refunded: amountRefunded,
    refunded: amountRefunded === amount,
    billing_details: { email: 'somebody@example.com' },
    currency: 'usd',
    paid: true,
    status: 'succeeded',
    metadata: parts.metadata ?? {},
    created: periodStart,
    livemode: false,
    ...(isOldShape(shape) ? { invoice: parts.invoice ?? null } : {}),
  };
}

type ReversalParts = {
  id?: string;
  amount?: number;
  status?: string;
  charge?: string;
  paymentIntent?: string | null;
  created?: number;
};

const reversal = (parts: ReversalParts) => ({
  charge: parts.charge ?? 'ch_1',
  payment_intent: parts.paymentIntent === undefined ? 'pi_1' : parts.paymentIntent,
  amount: parts.amount ?? 4900,
  currency: 'usd',
  created: parts.created ?? periodStart,
});

export const refundObject = (parts: ReversalParts = {}) => ({
  id: parts.id ?? 're_1',
  object: 'refund',
  ...reversal(parts),
  status: parts.status ?? 'succeeded',
});

export const disputeObject = (parts: ReversalParts = {}) => ({
  id: parts.id ?? 'du_1',
  object: 'dispute',
  ...reversal(parts),
  status: parts.status ?? 'needs_response',
  livemode: false,
});
