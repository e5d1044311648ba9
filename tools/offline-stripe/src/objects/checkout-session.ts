import { newId } from '../ids.ts';
import type { CheckoutSession, LineItem, Metadata, Price } from '../stripe-objects.ts';
import { amountOf, isMetered } from './catalog.ts';

export type NewLine = {
  price: Price;
  quantity: number;
  description: string;
  metadata?: Metadata;
  adjustable?: LineItem['adjustable_quantity'];
};

export function checkoutLine(fields: NewLine): LineItem {
  const { price, quantity } = fields;
  const amount = amountOf(price, quantity);
  return {
    id: newId('li'),
    object: 'item',
    adjustable_quantity: fields.adjustable ?? null,
    amount_discount: 0,
    amount_subtotal: amount,
    amount_tax: 0,
    amount_total: amount,
    currency: price.currency,
    description: fields.description,
    metadata: fields.metadata ?? {},
    price,
    // A meter counts it.
    quantity: isMetered(price) ? null : quantity,
  };
}

export type NewCheckoutSession = {
  id: string;
  created: number;
  expiresAt: number;
  mode: 'payment' | 'subscription';
  lines: LineItem[];
  sums: Pick<CheckoutSession, 'amount_subtotal' | 'amount_total' | 'total_details'>;
  discounts: CheckoutSession['discounts'];
  invoiceCreation: CheckoutSession['invoice_creation'];
  methodTypes: string[];
  customer: string | null;
  customerEmail: string | null;
  customerCreation: 'always' | 'if_required' | null;
  clientReferenceId: string | null;
  paymentMethodCollection: 'always' | 'if_required';
  /** Where it is shown, and where the payer goes from there. */
  place: Pick<
    CheckoutSession,
    | 'cancel_url'
    | 'client_secret'
    | 'redirect_on_completion'
    | 'return_url'
    | 'success_url'
    | 'ui_mode'
    | 'url'
  >;
  /** What else was asked for. */
  choices: Partial<CheckoutSession>;
  metadata: Metadata;
};

const noCustomText: CheckoutSession['custom_text'] = {
  after_submit: null,
  shipping_address: null,
  submit: null,
  terms_of_service_acceptance: null,
};

export function checkoutSessionObject(fields: NewCheckoutSession): CheckoutSession {
  return {
    id: fields.id,
    object: 'checkout.session',
    adaptive_pricing: { enabled: false },
    after_expiration: null,
    allow_promotion_codes: null,
    allowed_payment_method_types: null,
    automatic_tax: { enabled: false, liability: null, provider: null, status: null },
    billing_address_collection: null,
    client_reference_id: fields.clientReferenceId,
    collected_information: null,
    consent: null,
    consent_collection: null,
    created: fields.created,
    currency: fields.lines[0]?.currency ?? null,
    currency_conversion: null,
    custom_fields: [],
    custom_text: noCustomText,
    customer: fields.customer,
    customer_account: null,
    customer_creation: fields.customer === null ? fields.customerCreation : null,
    customer_details: null,
    customer_email: fields.customerEmail,
    discounts: fields.discounts,
    expires_at: fields.expiresAt,
    integration_identifier: null,
    invoice: null,
    invoice_creation: fields.invoiceCreation,
    livemode: false,
    locale: null,
    managed_payments: null,
    metadata: fields.metadata,
    mode: fields.mode,
    origin_context: null,
    payment_intent: null,
    payment_link: null,
    payment_method_collection: fields.paymentMethodCollection,
    payment_method_configuration_details: null,
    payment_method_options: {},
    payment_method_types: fields.methodTypes,
    payment_status: 'unpaid',
    permissions: null,
    phone_number_collection: { enabled: false },
    recovered_from: null,
    saved_payment_method_options: null,
    setup_intent: null,
    shipping_address_collection: null,
    shipping_cost: null,
    shipping_options: [],
    status: 'open',
    submit_type: null,
    subscription: null,
    ...fields.sums,
    wallet_options: null,
    ...fields.choices,
    ...fields.place,
  };
}

/** `invoice_creation` of a session in payment mode. */
export function invoiceCreationObject(fields: {
  enabled: boolean;
  description?: string | undefined;
  footer?: string | undefined;
  metadata: Metadata;
}): NonNullable<CheckoutSession['invoice_creation']> {
  return {
    enabled: fields.enabled,
    invoice_data: {
      account_tax_ids: null,
      custom_fields: null,
      description: fields.description ?? null,
      footer: fields.footer ?? null,
      issuer: null,
      metadata: fields.metadata,
      rendering_options: null,
    },
  };
}
