import { newId } from '../ids.ts';
import type { InvoiceItem, InvoiceLine, SubscriptionItem } from '../stripe-objects.ts';
import { amountOf, isMetered } from './catalog.ts';

type Line = Pick<InvoiceLine, 'amount' | 'currency' | 'description' | 'metadata' | 'parent' | 'period'> & {
  invoice: string;
  pricing: InvoiceLine['pricing'];
  quantity: number;
  subscription: string | null;
  isDiscountable: boolean;
};

function line({ quantity, isDiscountable, ...fields }: Line): InvoiceLine {
  return {
    ...fields,
    id: newId('il'),
    object: 'line_item',
    discount_amounts: [],
    discountable: isDiscountable,
    discounts: [],
    livemode: false,
    pretax_credit_amounts: [],
    quantity,
    quantity_decimal: String(quantity),
    subtotal: fields.amount,
    taxes: [],
  };
}

/** The line of one subscription item for one period; free while in trial. */
export function lineObject(
  item: SubscriptionItem,
  fields: { invoice: string; period: { start: number; end: number }; isTrial: boolean },
): InvoiceLine {
  const quantity = item.quantity ?? (isMetered(item.price) ? 0 : 1);
  return line({
    amount: fields.isTrial ? 0 : amountOf(item.price, quantity),
    currency: item.price.currency,
    description: fields.isTrial ? 'Trial period' : `${quantity} × ${item.price.nickname ?? item.price.id}`,
    invoice: fields.invoice,
    metadata: item.metadata,
    parent: {
      invoice_item_details: null,
      subscription_item_details: {
        invoice_item: null,
        proration: false,
        proration_details: { credited_items: null },
        subscription: item.subscription,
        subscription_item: item.id,
      },
      type: 'subscription_item_details',
    },
    period: fields.period,
    pricing: {
      price_details: { price: item.price.id, product: item.price.product },
      type: 'price_details',
      unit_amount_decimal: fields.isTrial ? '0' : item.price.unit_amount_decimal,
    },
    quantity,
    subscription: item.subscription,
    isDiscountable: true,
  });
}

/** The line of an invoice item; a proration's belongs to its subscription item. */
export function invoiceItemLine(item: InvoiceItem, invoice: string): InvoiceLine {
  const details = item.parent?.subscription_details ?? null;
  const subscriptionItem = details?.subscription_item;
  const credited = item.proration_details?.credited_items?.invoice_line_item_details ?? null;
  const shared = { proration: item.proration, proration_details: { credited_items: credited } };
  const parent: InvoiceLine['parent'] =
    details !== null && subscriptionItem !== undefined
      ? {
          invoice_item_details: null,
          subscription_item_details: {
            ...shared,
            invoice_item: item.id,
            subscription: details.subscription,
            subscription_item: subscriptionItem,
          },
          type: 'subscription_item_details',
        }
      : {
          invoice_item_details: {
            ...shared,
            invoice_item: item.id,
            subscription: details?.subscription ?? null,
          },
          subscription_item_details: null,
          type: 'invoice_item_details',
        };
  return line({
    amount: item.amount,
    currency: item.currency,
    description: item.description,
    invoice,
    metadata: item.metadata ?? {},
    parent,
    period: item.period,
    pricing: item.pricing,
    quantity: item.quantity,
    subscription: details?.subscription ?? null,
    isDiscountable: item.discountable,
  });
}
