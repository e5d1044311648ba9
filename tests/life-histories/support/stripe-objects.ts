/** An object as Stripe renders it. */
export type StripeObject = { id: string; object: string; [field: string]: unknown };

/** `old`: before 2025-03-31 (basil), when periods, invoices and payments were in other fields. */
export type Shape = 'old' | 'pinned';

export type Item = { id: string; price: string; quantity: number; start: number; end: number };

/** A subscription in Stripe; all times in seconds. */
export type Subscription = {
  id: string;
  customer: string;
  metadata: Record<string, string>;
  status: string;
  items: Item[];
  cancelAt: number | null;
  cancelAtPeriodEnd: boolean;
  canceledAt: number | null;
  endedAt: number | null;
  trialEnd: number | null;
  isCollectionPaused: boolean;
  latestInvoice: string | null;
  created: number;
};

export function renderSubscription(one: Subscription, shape: Shape): StripeObject {
  const [first] = one.items;
  const period = { current_period_start: first?.start ?? null, current_period_end: first?.end ?? null };
  return {
    id: one.id,
    object: 'subscription',
    customer: one.customer,
    metadata: one.metadata,
    status: one.status,
    cancel_at: one.cancelAt,
    cancel_at_period_end: one.cancelAtPeriodEnd,
    canceled_at: one.canceledAt,
    ended_at: one.endedAt,
    trial_end: one.trialEnd,
    pause_collection: one.isCollectionPaused ? { behavior: 'void', resumes_at: null } : null,
    latest_invoice: one.latestInvoice,
    created: one.created,
    livemode: false,
    ...(shape === 'old' ? period : {}),
    items: {
      object: 'list',
      has_more: false,
      url: `/v1/subscription_items?subscription=${one.id}`,
      data: one.items.map((item) => ({
        id: item.id,
        object: 'subscription_item',
        subscription: one.id,
        quantity: item.quantity,
        price: { id: item.price, object: 'price' },
        ...(shape === 'old' ? {} : { current_period_start: item.start, current_period_end: item.end }),
      })),
    },
  };
}

export type Invoice = {
  id: string;
  customer: string;
  subscription: string;
  status: string;
  paymentIntent: string;
  charge: string;
  amount: number;
  created: number;
};

export function renderInvoice(one: Invoice, shape: Shape): StripeObject {
  return {
    id: one.id,
    object: 'invoice',
    customer: one.customer,
    status: one.status,
    amount_due: one.amount,
    amount_paid: one.status === 'paid' ? one.amount : 0,
    currency: 'usd',
    billing_reason: 'subscription_cycle',
    created: one.created,
    livemode: false,
    ...(shape === 'old'
      ? { subscription: one.subscription, payment_intent: one.paymentIntent, charge: one.charge }
      : {
          parent: {
            type: 'subscription_details',
            subscription_details: { subscription: one.subscription, metadata: {} },
          },
        }),
  };
}

/** Links a payment to its invoice since 2025-03-31 (basil). Only lookups return it, no event does. */
export const renderInvoicePayment = (one: Invoice): StripeObject => ({
  id: `inpay_${one.id}`,
  object: 'invoice_payment',
  invoice: one.id,
  status: one.status === 'paid' ? 'paid' : 'open',
  is_default: true,
  amount_paid: one.status === 'paid' ? one.amount : null,
  amount_requested: one.amount,
  currency: 'usd',
  payment: { type: 'payment_intent', payment_intent: one.paymentIntent },
  created: one.created,
  livemode: false,
});

/** A payment: its PaymentIntent and its one charge. */
export type Payment = {
  intent: string;
  charge: string;
  customer: string;
  metadata: Record<string, string>;
  /** Null: a one-time payment. */
  invoice: string | null;
  status: 'processing' | 'succeeded' | 'failed';
  amount: number;
  amountRefunded: number;
  isDisputed: boolean;
  created: number;
};

const intentStatus = {
  processing: 'processing',
  succeeded: 'succeeded',
  failed: 'requires_payment_method',
} as const;

export const renderPaymentIntent = (one: Payment, shape: Shape): StripeObject => ({
  id: one.intent,
  object: 'payment_intent',
  customer: one.customer,
  metadata: one.metadata,
  status: intentStatus[one.status],
  amount: one.amount,
  amount_received: one.status === 'succeeded' ? one.amount : 0,
  latest_charge: one.charge,
  currency: 'usd',
  created: one.created,
  livemode: false,
  ...(shape === 'old' ? { invoice: one.invoice } : {}),
});

export const renderCharge = (one: Payment, shape: Shape): StripeObject => ({
  id: one.charge,
  object: 'charge',
  customer: one.customer,
  payment_intent: one.intent,
  metadata: one.metadata,
  status: one.status === 'processing' ? 'pending' : one.status,
  paid: one.status === 'succeeded',
  captured: one.status === 'succeeded',
  amount: one.amount,
  amount_captured: one.status === 'succeeded' ? one.amount : 0,
  amount_refunded: one.amountRefunded,
  refunded: one.amountRefunded === one.amount,
  disputed: one.isDisputed,
  currency: 'usd',
  created: one.created,
  livemode: false,
  ...(shape === 'old' ? { invoice: one.invoice } : {}),
});

export type Reversal = { id: string; payment: Payment; status: string; amount: number; created: number };

const renderReversal = (kind: 'refund' | 'dispute', one: Reversal): StripeObject => ({
  id: one.id,
  object: kind,
  charge: one.payment.charge,
  payment_intent: one.payment.intent,
  amount: one.amount,
  currency: 'usd',
  status: one.status,
  metadata: {},
  created: one.created,
});

export const renderRefund = (one: Reversal): StripeObject => renderReversal('refund', one);

export const renderDispute = (one: Reversal): StripeObject => ({
  ...renderReversal('dispute', one),
  reason: 'fraudulent',
  livemode: false,
});

export type Session = {
  id: string;
  customer: string;
  metadata: Record<string, string>;
  mode: 'payment' | 'subscription';
  paymentStatus: 'paid' | 'unpaid' | 'no_payment_required';
  paymentIntent: string | null;
  subscription: string | null;
  amount: number;
  created: number;
};

export const renderSession = (one: Session): StripeObject => ({
  id: one.id,
  object: 'checkout.session',
  customer: one.customer,
  metadata: one.metadata,
  client_reference_id: null,
  mode: one.mode,
  status: 'complete',
  payment_status: one.paymentStatus,
  payment_intent: one.paymentIntent,
  subscription: one.subscription,
  amount_total: one.amount,
  currency: 'usd',
  created: one.created,
  livemode: false,
});

export const renderLineItem = (id: string, session: string, sold: { price: string; quantity: number }) => ({
  id,
  object: 'item',
  session,
  quantity: sold.quantity,
  price: { id: sold.price, object: 'price' },
});
