import { isOldShape, periodEnd, periodStart } from './event.ts';
import type { StripeShape } from './event.ts';

export type Metadata = Record<string, string>;

export type ItemParts = {
  id?: string;
  priceId: string;
  /** Stripe's product of the price. */
  product?: string;
  quantity?: number;
  start?: number;
  end?: number;
};

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
  startDate?: number;
  isCollectionPaused?: boolean;
  latestInvoice?: string | null;
  created?: number;
};

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
    start_date: parts.startDate ?? parts.created ?? periodStart,
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
        price: { id: item.priceId, object: 'price', product: item.product ?? 'prod_1' },
        ...(isOldShape(shape)
          ? {}
          : { current_period_start: item.start ?? periodStart, current_period_end: item.end ?? periodEnd }),
      })),
    },
  };
}

export const scheduleObject = (
  parts: { id?: string; status?: string; subscription?: string | null } = {},
) => {
  const { subscription = 'sub_1', status = 'active' } = parts;
  const isReleased = status === 'released';
  return {
    id: parts.id ?? 'sub_sched_1',
    object: 'subscription_schedule',
    customer: 'cus_1',
    status,
    subscription: isReleased ? null : subscription,
    released_subscription: isReleased ? subscription : null,
    phases: [],
    created: periodStart,
    livemode: false,
  };
};

/** A line of an invoice. Without an item it is a price that the invoice sells by itself. */
export type InvoiceLineParts = {
  itemId?: string | null;
  priceId?: string;
  product?: string;
  isProration?: boolean;
  quantity?: number;
  amount?: number;
  start?: number;
  end?: number;
};

export type InvoiceParts = {
  id?: string;
  customer?: string;
  subscription?: string | null;
  status?: string;
  created?: number;
  total?: number;
  metadata?: Metadata;
  lines?: InvoiceLineParts[];
  hasMoreLines?: boolean;
};

function lineObject(parts: InvoiceLineParts, index: number, shape: StripeShape) {
  const { itemId = 'si_1', priceId = 'price_sub', product = 'prod_1', isProration = false } = parts;
  const common = {
    id: `il_${index + 1}`,
    object: 'line_item',
    amount: parts.amount ?? 4900,
    quantity: parts.quantity ?? 1,
    description: 'somebody@example.com',
    period: { start: parts.start ?? periodStart, end: parts.end ?? periodEnd },
  };
  if (isOldShape(shape))
    return {
      ...common,
      type: itemId === null ? 'invoiceitem' : 'subscription',
      proration: isProration,
      price: { id: priceId, object: 'price', product },
      ...(itemId === null ? {} : { subscription_item: itemId }),
    };
  const details = { proration: isProration };
  return {
    ...common,
    pricing: { type: 'price_details', price_details: { price: priceId, product } },
    parent:
      itemId === null
        ? { type: 'invoice_item_details', invoice_item_details: details, subscription_item_details: null }
        : {
            type: 'subscription_item_details',
            invoice_item_details: null,
            subscription_item_details: { ...details, subscription_item: itemId },
          },
  };
}

/** An invoice as rendered in a webhook by the API version of `shape`. */
export function invoiceObject(parts: InvoiceParts = {}, shape: StripeShape = 'endive') {
  const { subscription = 'sub_1', status = 'paid', lines = [{}] } = parts;
  return {
    id: parts.id ?? 'in_1',
    object: 'invoice',
    customer: parts.customer ?? 'cus_1',
    customer_email: 'somebody@example.com',
    metadata: parts.metadata ?? {},
    status,
    billing_reason: subscription === null ? 'manual' : 'subscription_cycle',
    created: parts.created ?? periodStart,
    livemode: false,
    total: parts.total ?? lines.reduce((sum, line) => sum + (line.amount ?? 4900), 0),
    currency: 'usd',
    lines: {
      object: 'list',
      has_more: parts.hasMoreLines ?? false,
      data: lines.map((line, index) => lineObject(line, index, shape)),
    },
    ...(isOldShape(shape)
      ? { subscription, payment_intent: 'pi_sub', charge: 'ch_sub', paid: status === 'paid' }
      : {
          parent:
            subscription === null
              ? null
              : { type: 'subscription_details', subscription_details: { subscription, metadata: {} } },
        }),
  };
}
