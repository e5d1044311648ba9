import { z } from 'zod';

import { shipping } from '../http/address-params.ts';
import { body, email, flag, metadata, natural, positive, text, url } from '../http/params.ts';
import { priceAndProductData } from './prices.ts';
import { trialSettings } from './subscription-params.ts';

const adjustableQuantity = z.strictObject({
  enabled: flag,
  minimum: natural.optional(),
  maximum: positive.optional(),
});

export const createParams = body({
  mode: z.enum(['payment', 'subscription'], 'must be one of payment or subscription'),
  line_items: z
    .array(
      z.strictObject({
        price: text.optional(),
        price_data: z.strictObject(priceAndProductData).optional(),
        quantity: positive.optional(),
        adjustable_quantity: adjustableQuantity.optional(),
        metadata: metadata.optional(),
      }),
    )
    .min(1)
    .max(100),
  optional_items: z
    .array(
      z.strictObject({ price: text, quantity: positive, adjustable_quantity: adjustableQuantity.optional() }),
    )
    .max(10)
    .optional(),
  success_url: url,
  cancel_url: url.optional(),
  customer: text.optional(),
  customer_email: email.optional(),
  customer_creation: z.enum(['always', 'if_required']).optional(),
  client_reference_id: z.string().min(1).max(200).optional(),
  discounts: z
    .array(z.strictObject({ coupon: text }))
    .max(1)
    .optional(),
  expires_at: natural.optional(),
  metadata: metadata.optional(),
  payment_method_collection: z.enum(['always', 'if_required']).optional(),
  payment_method_types: z
    .array(z.enum(['card', 'sepa_debit']))
    .min(1)
    .optional(),
  invoice_creation: z
    .strictObject({
      enabled: flag,
      invoice_data: z
        .strictObject({
          description: text.optional(),
          footer: text.optional(),
          metadata: metadata.optional(),
        })
        .optional(),
    })
    .optional(),
  subscription_data: z
    .strictObject({
      metadata: metadata.optional(),
      description: text.optional(),
      trial_period_days: positive.optional(),
      trial_end: natural.optional(),
      trial_settings: trialSettings.optional(),
    })
    .optional(),
  payment_intent_data: z
    .strictObject({
      metadata: metadata.optional(),
      description: text.optional(),
      capture_method: z.enum(['automatic', 'automatic_async', 'manual']).optional(),
      receipt_email: email.optional(),
      setup_future_usage: z.enum(['off_session', 'on_session']).optional(),
      shipping: shipping.optional(),
      statement_descriptor: text.optional(),
    })
    .optional(),
});
export type CreateSession = z.infer<typeof createParams>;
