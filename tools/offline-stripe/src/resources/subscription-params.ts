import { z } from 'zod';

import type { Proration } from '../billing/change-items.ts';
import { body, flag, metadata, moment, natural, positive, text, unset } from '../http/params.ts';
import { discountParams } from './discount-params.ts';

export const cancelAt = z.union([unset, z.enum(['min_period_end', 'max_period_end']), natural]);
/** How a change within a period is billed. */
export const prorationParams = {
  proration_behavior: z.enum(['always_invoice', 'create_prorations', 'none']).optional(),
  proration_date: natural.optional(),
};
/** Since `2026-09-30.endive` an object. */
export const anchorParams = z.strictObject({ type: z.enum(['now', 'unchanged']) });
export const cancellationDetails = z.strictObject({
  comment: z.union([unset, text]).optional(),
  feedback: z
    .enum([
      'customer_service',
      'low_quality',
      'missing_features',
      'other',
      'switched_service',
      'too_complex',
      'too_expensive',
      'unused',
    ])
    .optional(),
});
export const trialSettings = z.strictObject({
  end_behavior: z.strictObject({ missing_payment_method: z.enum(['cancel', 'create_invoice', 'pause']) }),
});

const shared = {
  cancel_at: cancelAt.optional(),
  cancel_at_period_end: flag.optional(),
  collection_method: z.enum(['charge_automatically', 'send_invoice']).optional(),
  days_until_due: positive.optional(),
  default_payment_method: text.optional(),
  description: text.optional(),
  discounts: z.union([unset, discountParams]).optional(),
  metadata: metadata.optional(),
  trial_end: moment.optional(),
  trial_settings: trialSettings.optional(),
};

export const createParams = body({
  ...shared,
  customer: text,
  items: z
    .array(z.strictObject({ price: text, quantity: natural.optional(), metadata: metadata.optional() }))
    .min(1)
    .max(20),
  add_invoice_items: z
    .array(z.strictObject({ price: text, quantity: positive.optional() }))
    .max(20)
    .optional(),
  payment_behavior: z.enum(['allow_incomplete', 'default_incomplete', 'error_if_incomplete']).optional(),
  trial_period_days: positive.optional(),
});
export type CreateSubscription = z.infer<typeof createParams>;

const itemChangeParams = z.strictObject({
  id: text.optional(),
  price: text.optional(),
  quantity: natural.optional(),
  deleted: flag.optional(),
  metadata: metadata.optional(),
});

export type ItemChangeParam = z.infer<typeof itemChangeParams>;
export const itemChanges = z.array(itemChangeParams).max(40);

export const updateParams = body({
  ...shared,
  ...prorationParams,
  items: itemChanges.optional(),
  cancellation_details: cancellationDetails.optional(),
  pause_collection: z
    .union([
      unset,
      z
        .strictObject({
          behavior: z.enum(['keep_as_draft', 'mark_uncollectible', 'void']),
          resumes_at: natural.optional(),
        })
        .transform((pause) => ({ behavior: pause.behavior, resumes_at: pause.resumes_at ?? null })),
    ])
    .optional(),
  payment_behavior: z.enum(['allow_incomplete', 'error_if_incomplete', 'pending_if_incomplete']).optional(),
  billing_cycle_anchor: anchorParams.optional(),
});
export type UpdateSubscription = z.infer<typeof updateParams>;

/** How Stripe bills a change unless told otherwise: prorations that the next invoice takes up. */
export function prorationOf(params: z.infer<z.ZodObject<typeof prorationParams>>): Proration {
  return { behavior: params.proration_behavior ?? 'create_prorations', date: params.proration_date ?? null };
}
