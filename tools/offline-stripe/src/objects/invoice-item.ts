import { newId } from '../ids.ts';
import type { InvoiceItem, Metadata, Price } from '../stripe-objects.ts';

type Credited = NonNullable<InvoiceItem['proration_details']>['credited_items'];

export type NewInvoiceItem = {
  customer: string;
  currency: string;
  amount: number;
  date: number;
  quantity: number;
  description: string | null;
  metadata: Metadata;
  period: { start: number; end: number };
  price: Price | null;
  /** In the smallest unit, of one piece. */
  unitAmount: string;
  subscription: string | null;
  /** Set: a proration of this item; `credited` is what it gives back. */
  proration?: { subscriptionItem: string; credited: Credited };
  invoice: string | null;
};

/** Something that a later invoice bills; `invoice` names it once there is one. */
export function invoiceItemObject(fields: NewInvoiceItem): InvoiceItem {
  const { proration } = fields;
  const isProration = proration !== undefined;
  return {
    id: newId('ii'),
    object: 'invoiceitem',
    amount: fields.amount,
    currency: fields.currency,
    customer: fields.customer,
    customer_account: null,
    date: fields.date,
    description: fields.description,
    discountable: !isProration,
    discounts: [],
    invoice: fields.invoice,
    livemode: false,
    metadata: fields.metadata,
    parent:
      fields.subscription === null
        ? null
        : {
            subscription_details: {
              subscription: fields.subscription,
              ...(isProration ? { subscription_item: proration.subscriptionItem } : {}),
            },
            type: 'subscription_details',
          },
    period: fields.period,
    pricing: {
      ...(fields.price === null
        ? {}
        : { price_details: { price: fields.price.id, product: fields.price.product } }),
      type: 'price_details',
      unit_amount_decimal: fields.unitAmount,
    },
    proration: isProration,
    ...(isProration
      ? { proration_details: { credited_items: proration.credited, discount_amounts: [] } }
      : {}),
    quantity: fields.quantity,
    quantity_decimal: String(fields.quantity),
    tax_rates: [],
    test_clock: null,
  };
}
