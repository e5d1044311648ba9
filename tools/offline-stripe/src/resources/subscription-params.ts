import { z } from 'zod';

import type { ItemChange } from '../billing/change-items.ts';
import {
  body,
  flag,
  mergeMetadata,
  metadata,
  moment,
  natural,
  positive,
  text,
  unset,
} from '../http/params.ts';
import type { World } from '../world.ts';

const ignored = `
  add_invoice_items application_fee_percent automatic_tax billing_cycle_anchor_config billing_mode
  billing_thresholds cancellation_details currency days_until_due default_source default_tax_rates
  discounts invoice_settings off_session payment_settings pending_invoice_item_interval proration_behavior
  proration_date trial_from_plan transfer_data`;

const cancelAt = z.union([unset, z.enum(['min_period_end', 'max_period_end']), natural]);
const ignoredItem = {
  discounts: z.unknown().optional(),
  tax_rates: z.unknown().optional(),
  billing_thresholds: z.unknown().optional(),
};
const shared = {
  cancel_at: cancelAt.optional(),
  cancel_at_period_end: flag.optional(),
  collection_method: z.enum(['charge_automatically', 'send_invoice']).optional(),
  default_payment_method: text.optional(),
  description: text.optional(),
  metadata: metadata.optional(),
  payment_behavior: z
    .enum(['allow_incomplete', 'default_incomplete', 'error_if_incomplete', 'pending_if_incomplete'])
    .optional(),
  trial_end: moment.optional(),
  trial_settings: z
    .strictObject({
      end_behavior: z.looseObject({ missing_payment_method: z.enum(['cancel', 'create_invoice', 'pause']) }),
    })
    .optional(),
};

export const createParams = body(
  {
    ...shared,
    customer: text,
    items: z
      .array(
        z.strictObject({
          ...ignoredItem,
          price: text,
          quantity: positive.optional(),
          metadata: metadata.optional(),
        }),
      )
      .min(1)
      .max(20),
    trial_period_days: positive.optional(),
    billing_cycle_anchor: natural.optional(),
  },
  ignored,
);
export type CreateSubscription = z.infer<typeof createParams>;

const itemChangeParams = z.strictObject({
  ...ignoredItem,
  id: text.optional(),
  price: text.optional(),
  quantity: positive.optional(),
  deleted: flag.optional(),
  clear_usage: z.unknown().optional(),
  metadata: metadata.optional(),
});

export const updateParams = body(
  {
    ...shared,
    items: z.array(itemChangeParams).max(40).optional(),
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
    billing_cycle_anchor: z.enum(['now', 'unchanged']).optional(),
  },
  ignored,
);
export type UpdateSubscription = z.infer<typeof updateParams>;

/** One entry of `items`; `param` names the price's parameter in an error. */
export function itemChange(world: World, item: z.infer<typeof itemChangeParams>, param: string): ItemChange {
  return {
    id: item.id ?? null,
    price: item.price === undefined ? null : world.tables.prices.require(item.price, param),
    quantity: item.quantity ?? null,
    isDeleted: item.deleted ?? false,
    metadata: item.metadata === undefined ? null : mergeMetadata({}, item.metadata),
  };
}
