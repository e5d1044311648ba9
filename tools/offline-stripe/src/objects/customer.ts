import { newId } from '../ids.ts';
import type { Customer, Metadata } from '../stripe-objects.ts';

export function customerObject(fields: {
  created: number;
  email?: string | null;
  name?: string | null;
  description?: string | null;
  phone?: string | null;
  metadata?: Metadata;
  address?: Customer['address'];
  shipping?: Customer['shipping'];
  locales?: string[];
  taxExempt?: Customer['tax_exempt'];
  balance?: number;
}): Customer {
  const id = newId('cus');
  return {
    id,
    object: 'customer',
    address: fields.address ?? null,
    balance: fields.balance ?? 0,
    created: fields.created,
    currency: null,
    customer_account: null,
    default_source: null,
    delinquent: false,
    description: fields.description ?? null,
    discount: null,
    email: fields.email ?? null,
    invoice_prefix: id.slice(-8).toUpperCase(),
    invoice_settings: {
      custom_fields: null,
      default_payment_method: null,
      footer: null,
      rendering_options: null,
    },
    livemode: false,
    metadata: fields.metadata ?? {},
    name: fields.name ?? null,
    next_invoice_sequence: 1,
    phone: fields.phone ?? null,
    preferred_locales: fields.locales ?? [],
    shipping: fields.shipping ?? null,
    tax_exempt: fields.taxExempt ?? 'none',
    test_clock: null,
  };
}
