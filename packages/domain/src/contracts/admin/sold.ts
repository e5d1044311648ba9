import { z } from 'zod';
import { id } from '../../ids.ts';
import { ownerSources } from '../../order/resolve-owner.ts';
import { subscriptionStatuses } from '../../stripe/subscription.ts';
import { listOf, pageFields } from './listing.ts';

const timestampOut = z.iso.datetime();
const ofProject = id.optional().describe('Only of this project.');
const ofUser = id.optional().describe('Only of this user, of any project that has one of this id.');
const ofProduct = id.optional().describe('Only with an item that is sold as this product.');
const ofCustomer = id.optional().describe('Only of this Stripe customer.');

export const soldSubscriptionsQuery = z.strictObject({
  project_id: ofProject,
  user_id: ofUser,
  status: z.enum(subscriptionStatuses).optional(),
  product_id: ofProduct,
  stripe_customer_id: ofCustomer,
  ...pageFields,
});
export type SoldSubscriptionsQuery = z.output<typeof soldSubscriptionsQuery>;

const owned = {
  project_id: z.string().nullable().describe('Null: it has no owner yet.'),
  user_id: z.string().nullable(),
  owner_source: z.enum(ownerSources).nullable().describe('How it is known whose it is.'),
  stripe_customer_id: z.string().nullable(),
};

const soldItem = {
  stripe_price_id: z.string(),
  price_id: z.string().nullable().describe('Null: the price itself is not mapped.'),
  product_id: z.string().nullable().describe('As which it is sold; null: nobody sells it.'),
  quantity: z.number().int(),
};

export const soldSubscriptionOut = z
  .object({
    subscription_id: z.string(),
    ...owned,
    status: z
      .enum(subscriptionStatuses)
      .nullable()
      .describe('Null: another object named it, and its own state is not known yet.'),
    cancel_at: timestampOut.nullable(),
    cancel_at_period_end: z.boolean(),
    ended_at: timestampOut.nullable(),
    trial_end: timestampOut.nullable(),
    collection_paused: z.boolean(),
    started_at: timestampOut.nullable().describe("Stripe's `start_date`; null: not heard."),
    items: z
      .array(
        z.object({
          item_id: z.string(),
          ...soldItem,
          current_period_start: timestampOut.nullable(),
          current_period_end: timestampOut.nullable(),
        }),
      )
      .describe('Those of the project; of a subscription without an owner, all.'),
    confirmed: z.boolean(),
    created: timestampOut.describe('When this service heard of it first.'),
  })
  .meta({ id: 'SoldSubscription' });
export type SoldSubscriptionOut = z.output<typeof soldSubscriptionOut>;
export const soldSubscriptionList = listOf(soldSubscriptionOut).meta({ id: 'SoldSubscriptionList' });

export const purchaseStatuses = ['pending', 'failed', 'paid'] as const;

export const soldPurchasesQuery = z.strictObject({
  project_id: ofProject,
  user_id: ofUser,
  status: z.enum(purchaseStatuses).optional(),
  product_id: ofProduct,
  stripe_customer_id: ofCustomer,
  ...pageFields,
});
export type SoldPurchasesQuery = z.output<typeof soldPurchasesQuery>;

export const soldPurchaseOut = z
  .object({
    purchase_id: z.string().describe('Of the PaymentIntent, session or invoice that sold it.'),
    ...owned,
    status: z.enum(purchaseStatuses),
    amount: z.number().int().nullable().describe('In minor units.'),
    amount_refunded: z.number().int(),
    currency: z.string().nullable(),
    paid_at: timestampOut.nullable(),
    dispute_status: z.string().nullable(),
    session_id: z.string().nullable(),
    charge_id: z.string().nullable(),
    receipt_invoice_id: z.string().nullable().describe('The invoice that records it, where there is one.'),
    items: z.array(z.object(soldItem)).describe('Those of the project; without an owner, all.'),
    confirmed: z.boolean(),
    created: timestampOut.describe('When this service heard of it first.'),
  })
  .meta({ id: 'SoldPurchase' });
export type SoldPurchaseOut = z.output<typeof soldPurchaseOut>;
export const soldPurchaseList = listOf(soldPurchaseOut).meta({ id: 'SoldPurchaseList' });

/** The longest window of daily sums that one call answers. */
export const mostRevenueDays = 1_100;

const day = (meaning: string) =>
  z.iso
    .date()
    .refine((value) => value >= '1970', { message: 'must lie between the years 1970 and 9999' })
    .meta({ description: `${meaning} Such as \`2026-11-22\`, from 1970 to 9999 in UTC.` });

export const revenueDaysQuery = z.strictObject({
  project_id: id,
  from: day(
    `The first day: \`to\` or before \`to\`, by at most ${mostRevenueDays} days. Default: 29 days before \`to\`.`,
  ).optional(),
  to: day('The last day. Default: today.').optional(),
});
export type RevenueDaysQuery = z.output<typeof revenueDaysQuery>;

export const revenueDayOut = z
  .object({
    day: z.iso.date(),
    mrr: z
      .array(z.object({ currency: z.string(), amount: z.number().int() }))
      .describe('Monthly recurring revenue by currency, in minor units: the last of the day.'),
    active_subscriptions: z.number().int(),
    trialing_subscriptions: z.number().int(),
    total_subscriptions: z.number().int().describe('Those that ended too.'),
    subscriptions_by_status: z
      .array(z.object({ status: z.enum(subscriptionStatuses), subscriptions: z.number().int() }))
      .describe("By Stripe's status, without those that none has. Empty: an older version wrote the day."),
    new_subscriptions: z.number().int().describe('Begun on that day, without those that were never paid.'),
    lost_subscriptions: z.number().int().describe('Ended on that day, without those that were never paid.'),
    written_at: timestampOut,
  })
  .meta({ id: 'RevenueDay' });
export type RevenueDayOut = z.output<typeof revenueDayOut>;

export const revenueDaysOut = z
  .object({
    project_id: z.string(),
    data: z
      .array(revenueDayOut)
      .describe('In the order of time; days on which nothing was written are left out.'),
  })
  .meta({ id: 'RevenueDays' });
export type RevenueDaysOut = z.output<typeof revenueDaysOut>;
