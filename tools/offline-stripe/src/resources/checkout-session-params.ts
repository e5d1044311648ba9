import { z } from 'zod';

import { body, flag, metadata, natural, positive, text, url } from '../http/params.ts';
import { priceFields } from './prices.ts';

const ignored = `
  adaptive_pricing after_expiration automatic_tax billing_address_collection branding_settings
  consent_collection currency custom_fields custom_text customer_update discounts
  excluded_payment_method_types invoice_creation locale name_collection optional_items origin_context
  payment_method_configuration payment_method_data payment_method_options payment_method_types permissions
  phone_number_collection redirect_on_completion saved_payment_method_options submit_type
  tax_id_collection ui_mode wallet_options`;

export const createParams = body(
  {
    mode: z.enum(['payment', 'subscription'], 'must be one of payment or subscription'),
    line_items: z
      .array(
        z.strictObject({
          price: text.optional(),
          price_data: z.strictObject({ ...priceFields, tax_behavior: text.optional() }).optional(),
          quantity: positive.optional(),
          adjustable_quantity: z.unknown().optional(),
          dynamic_tax_rates: z.unknown().optional(),
          metadata: metadata.optional(),
          tax_rates: z.unknown().optional(),
        }),
      )
      .min(1)
      .max(100),
    success_url: url,
    cancel_url: url.optional(),
    return_url: url.optional(),
    customer: text.optional(),
    customer_email: z
      .string()
      .regex(/^[^\s@]+@[^\s@]+$/, 'it is no e-mail address')
      .optional(),
    customer_creation: z.enum(['always', 'if_required']).optional(),
    client_reference_id: z.string().min(1).max(200).optional(),
    expires_at: natural.optional(),
    allow_promotion_codes: flag.optional(),
    metadata: metadata.optional(),
    payment_method_collection: z.enum(['always', 'if_required']).optional(),
    subscription_data: z
      .looseObject({
        metadata: metadata.optional(),
        description: text.optional(),
        trial_period_days: positive.optional(),
        trial_end: natural.optional(),
        trial_settings: z
          .strictObject({
            end_behavior: z.looseObject({
              missing_payment_method: z.enum(['cancel', 'create_invoice', 'pause']),
            }),
          })
          .optional(),
      })
      .optional(),
    payment_intent_data: z
      .looseObject({ metadata: metadata.optional(), description: text.optional() })
      .optional(),
  },
  ignored,
);
export type CreateSession = z.infer<typeof createParams>;
