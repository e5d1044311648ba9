import { z } from 'zod';
import { id, text } from '../ids.ts';
import { subscriptionStatuses } from '../stripe/subscription.ts';
import { timestamp } from '../time.ts';
import { listOf, pageFields } from './admin/listing.ts';

const ofKey = id.optional().describe('Optional; must be the project of the API key.');

const moment = z.iso.datetime();

/** A price of a subscription, as this project knows it. */
const pricedFields = {
  price_id: z.string().nullable().describe('Null: the price is not in the catalog.'),
  stripe_price_id: z.string(),
  product_id: z.string().nullable().describe('Null: neither the price nor its Stripe product is mapped.'),
  quantity: z.number().int().nullable().describe('Null: the price is metered.'),
};

export const subscriptionItemOut = z
  .object({
    item_id: z.string().describe("Stripe's."),
    ...pricedFields,
    current_period_start: moment.nullable(),
    current_period_end: moment.nullable(),
  })
  .meta({ id: 'SubscriptionItem' });

export const pendingChangeOut = z
  .object({ effective_at: moment, items: z.array(z.object(pricedFields)) })
  .meta({ id: 'PendingChange' });

export const pendingPaymentOut = z
  .object({
    hosted_invoice_url: z.url().nullable().describe('Where the user can pay. Null: not known yet.'),
    expires_at: moment
      .nullable()
      .describe(
        'The change is given up then. Null: Stripe sets no end, as for a subscription that is resumed.',
      ),
  })
  .meta({ id: 'PendingPayment' });

const collectionPause = z
  .object({ behavior: z.string().nullable(), resumes_at: moment.nullable() })
  .meta({ id: 'CollectionPause' });

export const pauseBehaviors = ['void', 'keep_as_draft', 'mark_uncollectible'] as const;

export const subscriptionOut = z
  .object({
    subscription_id: z.string(),
    user_id: z.string(),
    status: z.enum(subscriptionStatuses),
    items: z.array(subscriptionItemOut).describe("Items of other projects' prices are not shown."),
    cancel_at: moment.nullable(),
    cancel_at_period_end: z.boolean(),
    ended_at: moment.nullable(),
    trial_end: moment.nullable(),
    pause_collection: collectionPause.nullable().describe('Null: its invoices are collected.'),
    pending_change: pendingChangeOut
      .nullable()
      .describe('What it becomes by itself: all its items then. Null: nothing is planned.'),
    pending_payment: pendingPaymentOut
      .nullable()
      .describe(
        'A change, or the resumption of a `paused` subscription, waits until its invoice is paid. Null: none waits.',
      ),
    is_duplicate: z
      .boolean()
      .describe(
        'The user has an older live subscription to the same price, or to a product of the same group.',
      ),
    confirmed: z
      .boolean()
      .describe('False: it may be outdated, and Stripe is asked again within seconds, or does not have it.'),
    created: moment,
  })
  .meta({ id: 'Subscription' });
export type SubscriptionOut = z.output<typeof subscriptionOut>;

export const subscriptionsQuery = z.strictObject({
  ...pageFields,
  project_id: ofKey,
  user_id: id,
  status: z.enum(subscriptionStatuses).optional().describe('Absent: all.'),
});
export type SubscriptionsQuery = z.output<typeof subscriptionsQuery>;

export const subscriptionList = listOf(subscriptionOut).meta({ id: 'SubscriptionList' });

export const cancelRequest = z
  .strictObject({
    project_id: ofKey,
    at: z
      .enum(['period_end', 'now'])
      .describe('`period_end`: it stays in force until then, and can be resumed. `now`: it ends, for good.'),
    reason: text.optional().describe("Becomes Stripe's cancellation comment."),
  })
  .meta({ id: 'SubscriptionCancellation' });
export type CancelRequest = z.output<typeof cancelRequest>;

export const resumeRequest = z.strictObject({ project_id: ofKey }).meta({ id: 'SubscriptionResumption' });
export type ResumeRequest = z.output<typeof resumeRequest>;

export const pauseRequest = z
  .strictObject({
    project_id: ofKey,
    behavior: z
      .enum(pauseBehaviors)
      .default('void')
      .describe('What becomes of the invoices meanwhile: never collected, kept as drafts, or written off.'),
    resumes_at: timestamp('When it resumes by itself: in the future. Absent: never.').optional(),
  })
  .meta({ id: 'SubscriptionPause' });
export type PauseRequest = z.output<typeof pauseRequest>;
