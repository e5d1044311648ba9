import { newId } from '../ids.ts';
import type { Customer, Invoice, InvoiceLine, InvoicePayment, Subscription } from '../stripe-objects.ts';

export type BillingReason = 'manual' | 'subscription_create' | 'subscription_cycle' | 'subscription_update';

const automaticTaxOff: Invoice['automatic_tax'] = {
  disabled_reason: null,
  enabled: false,
  liability: null,
  provider: null,
  status: null,
};

const automaticTaxOn: Invoice['automatic_tax'] = {
  disabled_reason: null,
  enabled: true,
  liability: { type: 'self' },
  provider: 'stripe',
  status: 'complete',
};

/** Fields that are the same in every invoice here. */
const constantFields = {
  account_country: 'US',
  account_name: 'Offline Stripe',
  account_tax_ids: null,
  application: null,
  custom_fields: null,
  customer_account: null,
  customer_address: null,
  customer_shipping: null,
  customer_tax_exempt: 'none',
  customer_tax_ids: [],
  default_payment_method: null,
  default_source: null,
  default_tax_rates: [],
  description: null,
  effective_at: null,
  ending_balance: null,
  footer: null,
  from_invoice: null,
  hosted_invoice_url: null,
  invoice_pdf: null,
  last_finalization_error: null,
  latest_revision: null,
  next_payment_attempt: null,
  number: null,
  on_behalf_of: null,
  receipt_number: null,
  rendering: null,
  shipping_cost: null,
  shipping_details: null,
  statement_descriptor: null,
  test_clock: null,
  total_pretax_credit_amounts: [],
  total_taxes: [],
  webhooks_delivered_at: null,
} satisfies Partial<Invoice>;

export type NewInvoice = {
  id: string;
  created: number;
  /** Null: an invoice of its own. */
  subscription: Subscription | null;
  customer: { id: string; row: Customer | undefined };
  currency: string;
  reason: BillingReason;
  lines: InvoiceLine[];
  period: { start: number; end: number };
  collectionMethod: Invoice['collection_method'];
  dueDate: number | null;
  /** When it becomes final by itself; null: it waits for a call. */
  finalizesAt: number | null;
  discounts: string[];
};

type Sums = Pick<
  Invoice,
  | 'amount_due'
  | 'amount_remaining'
  | 'subtotal'
  | 'subtotal_excluding_tax'
  | 'total'
  | 'total_discount_amounts'
  | 'total_excluding_tax'
>;

/** The sums of an invoice with these lines, before it takes up the customer's balance. */
export function sumsOf(lines: InvoiceLine[]): Sums {
  const subtotal = lines.reduce((sum, line) => sum + line.amount, 0);
  const byDiscount = new Map<string, number>();
  for (const { discount, amount } of lines.flatMap((line) => line.discount_amounts ?? []))
    byDiscount.set(discount, (byDiscount.get(discount) ?? 0) + amount);
  const discounts = [...byDiscount].map(([discount, amount]) => ({ discount, amount }));
  const total = subtotal - discounts.reduce((sum, { amount }) => sum + amount, 0);
  const due = Math.max(0, total);
  return {
    amount_due: due,
    amount_remaining: due,
    subtotal,
    subtotal_excluding_tax: subtotal,
    total,
    total_discount_amounts: discounts,
    total_excluding_tax: total,
  };
}

/** A draft; amounts are the sum of its lines. */
export function invoiceObject(fields: NewInvoice): Invoice {
  const { subscription, customer } = fields;
  return {
    ...constantFields,
    id: fields.id,
    object: 'invoice',
    amount_overpaid: 0,
    amount_paid: 0,
    amount_paid_off_stripe: 0,
    amount_shipping: 0,
    attempt_count: 0,
    attempted: false,
    auto_advance: subscription !== null || fields.finalizesAt !== null,
    automatic_tax: subscription?.automatic_tax.enabled === true ? automaticTaxOn : automaticTaxOff,
    automatically_finalizes_at: fields.finalizesAt,
    billing_reason: fields.reason,
    collection_method: fields.collectionMethod,
    created: fields.created,
    currency: fields.currency,
    customer: customer.id,
    customer_email: customer.row?.email ?? null,
    customer_name: customer.row?.name ?? null,
    customer_phone: customer.row?.phone ?? null,
    discounts: fields.discounts,
    due_date: fields.dueDate,
    issuer: { type: 'self' },
    lines: { object: 'list', data: fields.lines, has_more: false, url: `/v1/invoices/${fields.id}/lines` },
    livemode: false,
    metadata: {},
    parent:
      subscription === null
        ? null
        : {
            quote_details: null,
            subscription_details: { metadata: subscription.metadata, subscription: subscription.id },
            type: 'subscription_details',
          },
    payment_settings: { default_mandate: null, payment_method_options: null, payment_method_types: null },
    period_end: fields.period.end,
    period_start: fields.period.start,
    post_payment_credit_notes_amount: 0,
    pre_payment_credit_notes_amount: 0,
    starting_balance: 0,
    status: 'draft',
    status_transitions: { finalized_at: null, marked_uncollectible_at: null, paid_at: null, voided_at: null },
    ...sumsOf(fields.lines),
  };
}

/** The id of the subscription that an invoice bills. */
export function subscriptionOf(invoice: Invoice): string | null {
  return invoice.parent?.subscription_details?.subscription ?? null;
}

export function invoicePaymentObject(
  invoice: Invoice,
  payment: { intent: string; amount: number; isDefault: boolean },
  created: number,
): InvoicePayment {
  return {
    id: newId('inpay'),
    object: 'invoice_payment',
    amount_paid: null,
    amount_requested: payment.amount,
    created,
    currency: invoice.currency,
    invoice: invoice.id,
    is_default: payment.isDefault,
    livemode: false,
    payment: { payment_intent: payment.intent, type: 'payment_intent' },
    status: 'open',
    status_transitions: { canceled_at: null, paid_at: null },
  };
}
