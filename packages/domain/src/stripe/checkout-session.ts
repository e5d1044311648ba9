import { z } from 'zod';
import { id, isId } from '../ids.ts';
import { ownMetadata, userClaim } from './claims.ts';
import type { Claims } from './claims.ts';
import { amountOrNull, reference, words } from './fields.ts';

export type CheckoutSessionFacts = {
  id: string;
  customerId: string | null;
  claims: Claims;
  priceId: string | null;
  quantity: number;
  mode: 'payment' | 'subscription' | 'setup';
  /** Stripe: with `unpaid` the money is outstanding, and a later `async_payment_…` event tells whether it came. */
  paymentStatus: 'paid' | 'unpaid' | 'no_payment_required';
  paymentIntentId: string | null;
  subscriptionId: string | null;
  /** The invoice of a payment (`invoice_creation`): a record of what the session sold. */
  invoiceId: string | null;
  amount: number | null;
  /** Before discounts, taxes and shipping; null: not said. */
  subtotal: number | null;
  currency: string | null;
  /** True: the buyer could add other items. */
  hasOptionalItems: boolean;
};

const checkoutSession = z.object({
  id,
  customer: reference,
  client_reference_id: z.unknown().optional(),
  metadata: ownMetadata,
  mode: z.enum(['payment', 'subscription', 'setup']),
  payment_status: z.enum(['paid', 'unpaid', 'no_payment_required']),
  payment_intent: reference,
  subscription: reference,
  invoice: reference,
  amount_total: amountOrNull,
  amount_subtotal: amountOrNull,
  currency: words,
  optional_items: z.array(z.unknown()).nullish(),
});

/** Reads a checkout session. `client_reference_id` hints at the user where the metadata names none. */
export const checkoutSessionFacts = checkoutSession.transform((whole): CheckoutSessionFacts => {
  const { claims, priceId, quantity } = whole.metadata;
  const referenced = isId(whole.client_reference_id) ? whole.client_reference_id : null;
  return {
    id: whole.id,
    customerId: whole.customer,
    claims: { projectId: claims.projectId, ...userClaim(claims.userId, referenced) },
    priceId,
    quantity,
    mode: whole.mode,
    paymentStatus: whole.payment_status,
    paymentIntentId: whole.payment_intent,
    subscriptionId: whole.subscription,
    invoiceId: whole.invoice,
    amount: whole.amount_total,
    subtotal: whole.amount_subtotal ?? whole.amount_total,
    currency: whole.currency,
    hasOptionalItems: (whole.optional_items ?? []).length > 0,
  };
});
