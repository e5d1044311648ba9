import { isOldShape, periodEnd, periodStart } from './event.ts';
import type { StripeShape } from './event.ts';

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

export type InvoiceParts = {
  id?: string;
  customer?: string;
  subscription?: string | null;
  status?: string;
  created?: number;
  billingReason?: string;
  /** One line for each: whether it is a proration. */
  prorations?: boolean[];
};

const lineObject = (isProration: boolean, index: number, shape: StripeShape) => ({
  id: `il_${index + 1}`,
  object: 'line_item',
  amount: 4900,
  ...(isOldShape(shape)
    ? { proration: isProration }
    : {
        parent: isProration
          ? { type: 'invoice_item_details', invoice_item_details: { proration: true } }
          : { type: 'subscription_item_details', subscription_item_details: { proration: false } },
      }),
});

/** An invoice as rendered in a webhook by the API version of `shape`. */
export function invoiceObject(parts: InvoiceParts = {}, shape: StripeShape = 'endive') {
  const { subscription = 'sub_1', status = 'paid', prorations = [false] } = parts;
  return {
    id: parts.id ?? 'in_1',
    object: 'invoice',
    customer: parts.customer ?? 'cus_1',
    customer_email: 'somebody@example.com',
    status,
    billing_reason: parts.billingReason ?? 'subscription_cycle',
    created: parts.created ?? periodStart,
    livemode: false,
    lines: {
      object: 'list',
      has_more: false,
      data: prorations.map((isProration, index) => lineObject(isProration, index, shape)),
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
