import { periodStart } from './objects.ts';
import { isOldShape } from './shape.ts';
import type { StripeShape } from './shape.ts';

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
