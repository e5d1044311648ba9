import { z } from 'zod';

import { shipping } from '../http/address-params.ts';
import {
  body,
  currency,
  email,
  flag,
  metadata,
  natural,
  positive,
  text,
  unset,
  url,
} from '../http/params.ts';

const methodTypes = z.array(z.enum(['card', 'sepa_debit'])).min(1);
const shared = {
  customer: text.optional(),
  description: z.union([unset, text]).optional(),
  metadata: metadata.optional(),
  payment_method: text.optional(),
  payment_method_types: methodTypes.optional(),
  receipt_email: z.union([unset, email]).optional(),
  setup_future_usage: z.enum(['off_session', 'on_session']).optional(),
  shipping: z.union([unset, shipping]).optional(),
  statement_descriptor: text.optional(),
};
const confirming = {
  /** What the payer has agreed to; a bank debit needs it. */
  mandate_data: z
    .strictObject({
      customer_acceptance: z.strictObject({
        type: z.enum(['offline', 'online']),
        accepted_at: natural.optional(),
        online: z.strictObject({ ip_address: text, user_agent: text }).optional(),
      }),
    })
    .optional(),
  return_url: url.optional(),
};

export const createParams = body({
  ...shared,
  ...confirming,
  amount: positive,
  currency,
  automatic_payment_methods: z
    .strictObject({ enabled: flag, allow_redirects: z.enum(['always', 'never']).optional() })
    .optional(),
  capture_method: z.enum(['automatic', 'automatic_async', 'manual']).optional(),
  confirm: flag.optional(),
  confirmation_method: z.enum(['automatic', 'manual']).optional(),
});
export type CreatePaymentIntent = z.infer<typeof createParams>;

export const updateParams = body({ ...shared, amount: positive.optional(), currency: currency.optional() });
export type UpdatePaymentIntent = z.infer<typeof updateParams>;

export const confirmParams = body({
  ...confirming,
  payment_method: text.optional(),
  receipt_email: z.union([unset, email]).optional(),
  setup_future_usage: z.enum(['off_session', 'on_session']).optional(),
  shipping: z.union([unset, shipping]).optional(),
});
export type ConfirmPaymentIntent = z.infer<typeof confirmParams>;

export const captureParams = body({ amount_to_capture: positive.optional(), metadata: metadata.optional() });
export const cancelParams = body({
  cancellation_reason: z.enum(['abandoned', 'duplicate', 'fraudulent', 'requested_by_customer']).optional(),
});
