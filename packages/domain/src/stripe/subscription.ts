import { z } from 'zod';
import { id } from '../ids.ts';
import type { Instant } from '../time.ts';
import { ownMetadata } from './claims.ts';
import type { Claims } from './claims.ts';
import { discount, keptOfDiscount } from './discount.ts';
import type { Discount } from './discount.ts';
import { flag, quantity, reference, secondsOrNull, words } from './fields.ts';
import { latestInvoice } from './latest-invoice.ts';
import { itemPriceOf } from './price.ts';
import type { ItemPrice } from './price.ts';
import { pausedAt, waitsForResumption } from './resumption.ts';
import { scheduleOrNull } from './schedule.ts';
import type { PendingPayment, Schedule } from './schedule.ts';

/** Every status of a Stripe subscription (Stripe: "The Subscription object", `status`). */
export const subscriptionStatuses = [
  'incomplete',
  'incomplete_expired',
  'trialing',
  'active',
  'past_due',
  'canceled',
  'unpaid',
  'paused',
] as const;
export type SubscriptionStatus = (typeof subscriptionStatuses)[number];

export type ItemSnapshot = {
  itemId: string;
  stripePriceId: string;
  quantity: number;
  currentPeriodStart: Instant | null;
  currentPeriodEnd: Instant | null;
  /** Of the earliest period that was heard of. */
  firstPeriodStart: Instant | null;
} & ItemPrice;

/**
 * What the stored row takes from a snapshot as it is. A new field is also one of `noContent`,
 * `keptOfSubscription` and the reader below.
 */
export type SubscriptionContent = {
  cancelAt: Instant | null;
  cancelAtPeriodEnd: boolean;
  canceledAt: Instant | null;
  endedAt: Instant | null;
  trialEnd: Instant | null;
  /** When it began (Stripe: `start_date`), whatever became of its billing cycle; null: not rendered. */
  startDate: Instant | null;
  collectionPaused: boolean;
  /** What becomes of invoices while collection is paused (Stripe: `pause_collection.behavior`). */
  pauseBehavior: string | null;
  /** When collection resumes by itself (Stripe: `pause_collection.resumes_at`). */
  pauseResumesAt: Instant | null;
  latestInvoiceId: string | null;
  /** Null also where the invoice is not expanded. */
  latestInvoiceCreatedAt: Instant | null;
  /** Of the whole and of its items; null: not rendered. */
  discounts: Discount[] | null;
  /** Null: none manages it. */
  schedule: Schedule | null;
  /** Null: no change waits for a payment, or, of a paused one, its latest invoice is not expanded. */
  pendingPayment: PendingPayment | null;
};

export const noContent: SubscriptionContent = {
  cancelAt: null,
  cancelAtPeriodEnd: false,
  canceledAt: null,
  endedAt: null,
  trialEnd: null,
  startDate: null,
  collectionPaused: false,
  pauseBehavior: null,
  pauseResumesAt: null,
  latestInvoiceId: null,
  latestInvoiceCreatedAt: null,
  discounts: null,
  schedule: null,
  pendingPayment: null,
};

/** A Stripe subscription as an event or a lookup renders it, in any API version. */
export type SubscriptionSnapshot = SubscriptionContent & {
  id: string;
  /** Null: not rendered. */
  createdAt: Instant | null;
  /** When Stripe answered with it; null: it is an event's or a list's, or its clock is not Stripe's own (a test clock). */
  answeredAt: Instant | null;
  customerId: string | null;
  claims: Claims;
  status: SubscriptionStatus;
  /** When the expanded latest invoice is to be paid (`collection_method: send_invoice`); null: at once, or not known. */
  latestInvoiceDueAt: Instant | null;
  items: ItemSnapshot[];
  /** False: items are left out (the list goes on, or is absent). */
  areItemsComplete: boolean;
};

const discounts = z.array(discount).nullish().catch(null);

const item = z.object({
  id: id.nullish(),
  quantity,
  current_period_start: secondsOrNull,
  current_period_end: secondsOrNull,
  price: z.union([id, z.looseObject({ id })]).nullish(),
  /** Stripe's name of a price before 2020, still rendered beside it. */
  plan: reference,
  discounts,
});

const subscription = z.object({
  id,
  created: secondsOrNull.catch(null),
  customer: reference,
  status: z.enum(subscriptionStatuses),
  cancel_at: secondsOrNull,
  cancel_at_period_end: flag,
  canceled_at: secondsOrNull,
  ended_at: secondsOrNull,
  trial_end: secondsOrNull,
  start_date: secondsOrNull.catch(null),
  pause_collection: z
    .object({ behavior: words.catch(null), resumes_at: secondsOrNull.catch(null) })
    .nullish(),
  collection_method: words,
  latest_invoice: latestInvoice,
  /** Before 2025-03-31 (basil) the subscription had the period; since then each item has its own. */
  current_period_start: secondsOrNull,
  current_period_end: secondsOrNull,
  metadata: ownMetadata,
  items: z.object({ data: z.array(item), has_more: flag }).nullish(),
  discounts,
  schedule: scheduleOrNull.catch(null),
  pending_update: z.object({ expires_at: secondsOrNull }).nullish().catch(null),
  status_details: pausedAt,
  /** Before 2025-03-31 (basil) beside the list, with its coupon. */
  discount: discount.nullish().catch(null),
});

/** The fields of a subscription's own that the projection of an event keeps (`project-event.ts`). */
export const keptOfSubscription = {
  status: true,
  cancel_at: true,
  cancel_at_period_end: true,
  canceled_at: true,
  ended_at: true,
  trial_end: true,
  start_date: true,
  pause_collection: { behavior: true, resumes_at: true },
  current_period_start: true,
  current_period_end: true,
  discounts: [keptOfDiscount],
  discount: keptOfDiscount,
  schedule: { id: true },
  pending_update: { expires_at: true },
} as const;

type Rendered = z.output<typeof subscription>;

function toItem(rendered: z.output<typeof item>, whole: Rendered): ItemSnapshot[] {
  const { price, plan } = rendered;
  const stripePriceId = (typeof price === 'string' ? price : price?.id) ?? plan;
  if (stripePriceId === null || stripePriceId === undefined) return [];
  const currentPeriodStart = rendered.current_period_start ?? whole.current_period_start;
  return [
    {
      itemId: rendered.id ?? stripePriceId,
      stripePriceId,
      quantity: rendered.quantity,
      currentPeriodStart,
      currentPeriodEnd: rendered.current_period_end ?? whole.current_period_end,
      firstPeriodStart: currentPeriodStart,
      ...itemPriceOf(price, rendered.quantity),
    },
  ];
}

/** Null where neither list nor discount is rendered, as in what older versions of the service kept of an event. */
function discountsOf(whole: Rendered): Discount[] | null {
  const { discount: only, discounts: all } = whole;
  const ofItems = (whole.items?.data ?? []).flatMap((one) =>
    (one.discounts ?? []).map((ofItem) => ({ ...ofItem, itemId: one.id ?? null })),
  );
  if (all === null || all === undefined)
    return only === null || only === undefined ? null : [...ofItems, only];
  const whichIsWhole = all.map((one) =>
    only?.discountId === one.discountId && one.coupon === null ? only : one,
  );
  return [...ofItems, ...whichIsWhole];
}

function pendingPaymentOf(whole: Rendered): PendingPayment | null {
  const { status, latest_invoice: invoice, status_details: since } = whole;
  const expiresAt = whole.pending_update?.expires_at ?? null;
  if (expiresAt !== null) return { expiresAt, invoiceUrl: invoice.url };
  const waits = invoice.url !== null && waitsForResumption({ status, pausedAt: since, invoice });
  return waits ? { expiresAt, invoiceUrl: invoice.url } : null;
}

const byItemId = (a: ItemSnapshot, b: ItemSnapshot): number =>
  a.itemId < b.itemId ? -1 : Number(a.itemId > b.itemId);

/** Reads a subscription of any API version. */
export const subscriptionSnapshot = subscription.transform((whole): SubscriptionSnapshot => {
  const rendered = whole.items?.data ?? [];
  const items = rendered.flatMap((one) => toItem(one, whole)).sort(byItemId);
  return {
    id: whole.id,
    createdAt: whole.created,
    answeredAt: null,
    customerId: whole.customer,
    claims: whole.metadata.claims,
    status: whole.status,
    cancelAt: whole.cancel_at,
    cancelAtPeriodEnd: whole.cancel_at_period_end,
    canceledAt: whole.canceled_at,
    endedAt: whole.ended_at,
    trialEnd: whole.trial_end,
    startDate: whole.start_date,
    collectionPaused: whole.pause_collection !== null && whole.pause_collection !== undefined,
    pauseBehavior: whole.pause_collection?.behavior ?? null,
    pauseResumesAt: whole.pause_collection?.resumes_at ?? null,
    latestInvoiceId: whole.latest_invoice.id,
    latestInvoiceCreatedAt: whole.latest_invoice.createdAt,
    discounts: discountsOf(whole),
    schedule: whole.schedule,
    pendingPayment: pendingPaymentOf(whole),
    latestInvoiceDueAt: whole.collection_method === 'send_invoice' ? whole.latest_invoice.dueAt : null,
    items,
    areItemsComplete:
      items.length > 0 && items.length === rendered.length && !(whole.items?.has_more ?? false),
  };
});
