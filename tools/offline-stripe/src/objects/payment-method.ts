import { newId } from '../ids.ts';
import type { Metadata, PaymentMethod } from '../stripe-objects.ts';

const noAddress = { city: null, country: null, line1: null, line2: null, postal_code: null, state: null };
export const noBillingDetails: PaymentMethod['billing_details'] = {
  address: noAddress,
  email: null,
  name: null,
  phone: null,
  tax_id: null,
};

export type NewPaymentMethod = {
  created: number;
  customer: string | null;
  billingDetails?: PaymentMethod['billing_details'];
  metadata?: Metadata;
};

function base(fields: NewPaymentMethod, type: 'card' | 'sepa_debit'): PaymentMethod {
  return {
    id: newId('pm'),
    object: 'payment_method',
    allow_redisplay: 'limited',
    billing_details: fields.billingDetails ?? noBillingDetails,
    created: fields.created,
    customer: fields.customer,
    customer_account: null,
    livemode: false,
    metadata: fields.metadata ?? {},
    type,
  };
}

/** A test card; without `last4` the one that always succeeds, 4242 4242 4242 4242. */
export function cardObject(fields: NewPaymentMethod & { last4?: string }): PaymentMethod {
  const last4 = fields.last4 ?? '4242';
  return {
    ...base(fields, 'card'),
    card: {
      brand: 'visa',
      checks: { address_line1_check: null, address_postal_code_check: null, cvc_check: 'pass' },
      country: 'US',
      display_brand: 'visa',
      exp_month: 12,
      exp_year: 2040,
      fingerprint: `offline${last4}`,
      funding: 'credit',
      generated_from: null,
      last4,
      networks: { available: ['visa'], preferred: null },
      regulated_status: 'unregulated',
      three_d_secure_usage: { supported: true },
      wallet: null,
    },
  };
}

/** A bank account whose money takes its time. */
export function sepaDebitObject(fields: NewPaymentMethod & { iban: string }): PaymentMethod {
  const { iban } = fields;
  return {
    ...base(fields, 'sepa_debit'),
    sepa_debit: {
      bank_code: iban.slice(4, 9),
      branch_code: null,
      country: iban.slice(0, 2).toUpperCase(),
      fingerprint: `offline${iban.slice(-4)}`,
      generated_from: null,
      last4: iban.slice(-4),
    },
  };
}
