import { isOldShape } from './shape.ts';
import type { StripeShape } from './shape.ts';

export type Metadata = Record<string, string>;

export type ItemParts = { id?: string; priceId: string; quantity?: number; start?: number; end?: number };

export type SubscriptionParts = {
  id?: string;
  customer?: string;
  status?: string;
  items?: ItemParts[];
  metadata?: Metadata;
  cancelAt?: number | null;
  cancelAtPeriodEnd?: boolean;
  endedAt?: number | null;
  trialEnd?: number | null;
  isCollectionPaused?: boolean;
  latestInvoice?: string | null;
  created?: number;
};

export const periodStart = 1_780_000_000;
export const periodEnd = periodStart + 30 * 86_400;

/** A subscription as rendered in a webhook by the API version of `shape`. All times in seconds. */
export function subscriptionObject(parts: SubscriptionParts = {}, shape: StripeShape = 'endive') {
  const { items = [{ priceId: 'price_sub' }] } = parts;
  const [first] = items;
  const start = first?.start ?? periodStart;
  const end = first?.end ?? periodEnd;
  return {
    id: parts.id ?? 'sub_1',
    object: 'subscription',
    customer: parts.customer ?? 'cus_1',
    status: parts.status ?? 'active',
    created: parts.created ?? periodStart,
    livemode: false,
    cancel_at: parts.cancelAt ?? null,
    cancel_at_period_end: parts.cancelAtPeriodEnd ?? false,
    canceled_at: null,
    ended_at: parts.endedAt ?? null,
    trial_end: parts.trialEnd ?? null,
    pause_collection: parts.isCollectionPaused === true ? { behavior: 'void', resumes_at: null } : null,
    latest_invoice: parts.latestInvoice === undefined ? 'in_1' : parts.latestInvoice,
    metadata: parts.metadata ?? {},
    description: 'somebody@example.com',
    ...(isOldShape(shape) ? { current_period_start: start, current_period_end: end, discount: null } : {}),
    items: {
      object: 'list',
      has_more: false,
      data: items.map((item, index) => ({
        id: item.id ?? `si_${index + 1}`,
        object: 'subscription_item',
        quantity: item.quantity ?? 1,
        price: { id: item.priceId, object: 'price', product: 'prod_1' },
        ...(isOldShape(shape)
          ? {}
          : { current_period_start: item.start ?? periodStart, current_period_end: item.end ?? periodEnd }),
      })),
    },
  };
}

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
    amount_total: parts.amountTotal ?? 4900,
    currency: 'usd',
    metadata: parts.metadata ?? {},
    created: periodStart,
    livemode: false,
  };
}
