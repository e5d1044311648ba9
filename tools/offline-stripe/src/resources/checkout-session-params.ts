import { z } from 'zod';

import { shipping } from '../http/address-params.ts';
import { body, email, flag, metadata, natural, positive, text, url } from '../http/params.ts';
import { newDiscountParams } from './discount-params.ts';
import { priceAndProductData } from './prices.ts';
import { trialSettings } from './subscription-params.ts';

/** https://docs.stripe.com/api/checkout/sessions/create#create_checkout_session-locale */
const locales =
  'auto bg cs da de el en en-GB es es-419 et fi fil fr fr-CA hi-IN hr hu id it ja ko lt lv ms mt nb nl pl pt pt-BR ro ru sk sl sv th tr vi zh zh-HK zh-TW'.split(
    ' ',
  );

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
  success_url: url.optional(),
  return_url: url.optional(),
  ui_mode: z.enum(['hosted_page', 'embedded_page']).optional(),
  redirect_on_completion: z
    .enum(['always', 'never'], 'the offline Stripe has no payment methods that redirect: always or never')
    .optional(),
  allow_promotion_codes: flag.optional(),
  automatic_tax: z.strictObject({ enabled: flag }).optional(),
  tax_id_collection: z
    .strictObject({ enabled: flag, required: z.enum(['if_supported', 'never']).optional() })
    .optional(),
  customer_update: z
    .strictObject({
      address: z.enum(['auto', 'never']).optional(),
      name: z.enum(['auto', 'never']).optional(),
      shipping: z.enum(['auto', 'never']).optional(),
    })
    .optional(),
  billing_address_collection: z.enum(['auto', 'required']).optional(),
  locale: z.enum(locales).optional(),
  cancel_url: url.optional(),
  customer: text.optional(),
  customer_email: email.optional(),
  customer_creation: z.enum(['always', 'if_required']).optional(),
  client_reference_id: z.string().min(1).max(200).optional(),
  discounts: newDiscountParams.max(1).optional(),
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
