/** An object as Stripe renders it. */
export type StripeObject = { id: string; object: string; [field: string]: unknown };

/** `old`: before 2025-03-31 (basil), when periods, invoices and payments were in other fields. */
export type Shape = 'old' | 'pinned';

/** The Stripe product of a price. */
const productOf = (price: string): string => price.replace('price_', 'prod_');

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
  /** The schedule that manages it. */
  schedule: string | null;
  /** Until when a change waits for its payment. */
  updatePendsUntil: number | null;
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
    start_date: one.created,
    pause_collection: one.isCollectionPaused ? { behavior: 'void', resumes_at: null } : null,
    latest_invoice: one.latestInvoice,
    schedule: one.schedule,
    pending_update: one.updatePendsUntil === null ? null : { expires_at: one.updatePendsUntil },
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
        price: { id: item.price, object: 'price', product: productOf(item.price) },
        ...(shape === 'old' ? {} : { current_period_start: item.start, current_period_end: item.end }),
      })),
    },
  };
}

/** A schedule of two phases: what there is until the period ends, and another price after it. */
export const renderSchedule = (
  one: { id: string; subscription: Subscription; price: string },
  status: 'active' | 'released',
): StripeObject => {
  const [item] = one.subscription.items;
  const phase = { start_date: item?.start ?? 0, end_date: item?.end ?? 0 };
  const next = { start_date: phase.end_date, end_date: 2 * phase.end_date - phase.start_date };
  const itemsOf = (price: string) => [{ price, quantity: item?.quantity ?? 1 }];
  return {
    id: one.id,
    object: 'subscription_schedule',
    customer: one.subscription.customer,
    status,
    subscription: status === 'active' ? one.subscription.id : null,
    released_subscription: status === 'active' ? null : one.subscription.id,
    current_phase: status === 'active' ? phase : null,
    phases: [
      { ...phase, items: itemsOf(item?.price ?? '') },
      { ...next, items: itemsOf(one.price) },
    ],
    livemode: false,
  };
};

/** `item`: the subscription's item that it bills; null: a price that the invoice sells by itself. */
export type InvoiceLine = {
  id: string;
  item: string | null;
  price: string;
  isProration: boolean;
  quantity: number;
  amount: number;
  start: number;
  end: number;
};

export type Invoice = {
  id: string;
  customer: string;
  metadata: Record<string, string>;
  subscription: string | null;
  /** Of the subscription, as it was then. */
  subscriptionMetadata: Record<string, string>;
  status: string;
  lines: InvoiceLine[];
  total: number;
  created: number;
};

const mostRenderedLines = 10;

export function renderInvoiceLine(invoice: string, one: InvoiceLine, shape: Shape): StripeObject {
  const common = {
    id: one.id,
    object: 'line_item',
    invoice,
    amount: one.amount,
    quantity: one.quantity,
    period: { start: one.start, end: one.end },
  };
  if (shape === 'old')
    return {
      ...common,
      type: one.item === null ? 'invoiceitem' : 'subscription',
      proration: one.isProration,
      price: { id: one.price, object: 'price', product: productOf(one.price) },
      ...(one.item === null ? {} : { subscription_item: one.item }),
    };
  const details = { proration: one.isProration };
  return {
    ...common,
    pricing: {
      type: 'price_details',
      price_details: { price: one.price, product: productOf(one.price) },
    },
    parent:
      one.item === null
        ? { type: 'invoice_item_details', invoice_item_details: details }
        : {
            type: 'subscription_item_details',
            subscription_item_details: { ...details, subscription_item: one.item },
          },
  };
}

export function renderInvoice(one: Invoice, shape: Shape): StripeObject {
  const subscriptionDetails = { subscription: one.subscription, metadata: one.subscriptionMetadata };
  const old = {
    subscription: one.subscription,
    subscription_details: { metadata: one.subscriptionMetadata },
  };
  const pinned = { parent: { type: 'subscription_details', subscription_details: subscriptionDetails } };
  return {
    id: one.id,
    object: 'invoice',
    customer: one.customer,
    metadata: one.metadata,
    status: one.status,
    total: one.total,
    currency: 'usd',
    created: one.created,
    livemode: false,
    lines: {
      object: 'list',
      has_more: one.lines.length > mostRenderedLines,
      data: one.lines.slice(0, mostRenderedLines).map((line) => renderInvoiceLine(one.id, line, shape)),
    },
    ...(one.subscription === null ? {} : shape === 'old' ? old : pinned),
  };
}

/** Links a payment to its invoice since 2025-03-31 (basil). Only lookups return it, no event does. */
export const renderInvoicePayment = (invoice: string, payment: Payment): StripeObject => ({
  id: `inpay_${payment.intent}`,
  object: 'invoice_payment',
  invoice,
  status: payment.status === 'succeeded' ? 'paid' : 'open',
  is_default: true,
  amount_paid: payment.status === 'succeeded' ? payment.amount : null,
  amount_requested: payment.amount,
  currency: 'usd',
  payment: { type: 'payment_intent', payment_intent: payment.intent },
  created: payment.created,
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
  /** `authorised`: the money can be captured. `canceled`: it was not in time. */
  status: 'processing' | 'authorised' | 'succeeded' | 'failed' | 'canceled';
  amount: number;
  /** Less than `amount` after a partial capture; the rest goes back by a refund. */
  captured?: number;
  amountRefunded: number;
  isDisputed: boolean;
  created: number;
};

const intentStatus = {
  processing: 'processing',
  authorised: 'requires_capture',
  succeeded: 'succeeded',
  failed: 'requires_payment_method',
  canceled: 'canceled',
} as const;

const chargeStatus = {
  processing: 'pending',
  authorised: 'succeeded',
  succeeded: 'succeeded',
  failed: 'failed',
  canceled: 'succeeded',
} as const;

const capturedOf = ({ status, captured, amount }: Payment): number =>
  status === 'succeeded' ? (captured ?? amount) : 0;

export const renderPaymentIntent = (one: Payment, shape: Shape): StripeObject => ({
  id: one.intent,
  object: 'payment_intent',
  customer: one.customer,
  metadata: one.metadata,
  status: intentStatus[one.status],
  amount: one.amount,
  amount_received: capturedOf(one),
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
  status: chargeStatus[one.status],
  paid: chargeStatus[one.status] === 'succeeded',
  captured: one.status === 'succeeded',
  amount: one.amount,
  amount_captured: capturedOf(one),
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
  /** What was made to record a payment (`invoice_creation`). */
  invoice: string | null;
  amount: number;
  subtotal: number;
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
  invoice: one.invoice,
  amount_total: one.amount,
  amount_subtotal: one.subtotal,
  currency: 'usd',
  created: one.created,
  livemode: false,
});

export const renderLineItem = (id: string, session: string, sold: { price: string; quantity: number }) => ({
  id,
  object: 'item',
  session,
  quantity: sold.quantity,
  price: { id: sold.price, object: 'price', product: productOf(sold.price) },
});
