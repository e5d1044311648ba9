import type { BoughtItem, ItemSnapshot, PurchaseRow, SubscriptionRow } from '@billing/domain';
import { defineTable } from './define-table.ts';
import type { LedgerOutcome } from './outcomes.ts';

/**
 * The one place that names the columns of stored objects: statements and rows are made from these tables. A new
 * nullable column is one line here, one in `prisma/schema.prisma` (a test compares the two), a field of the row in
 * `domain`, and a migration. Left out are columns that the database fills by itself.
 */

/** What subscriptions and purchases have in common. */
const objectColumns = {
  id: ['id', 'text'],
  customerId: ['stripe_customer_id', 'text?'],
  claims: {
    projectId: ['claimed_project_id', 'text?'],
    userId: ['claimed_user_id', 'text?'],
    userSource: ['claimed_user_source', 'text?'],
  },
  snapshotAt: ['snapshot_at', 'timestamptz?'],
  snapshotEventId: ['snapshot_event_id', 'text?'],
  confirmed: ['confirmed', 'boolean'],
  rowVersion: ['fence', 'bigint'],
  recheckAt: ['settle_at', 'timestamptz?'],
  recheckAttempts: ['settle_attempts', 'integer'],
  missingInStripeAt: ['missing_in_stripe_at', 'timestamptz?'],
} as const;

/** An object's own row leads to its user; its items are rows of a table of their own. */
type OwnerLink = { userRef: number | null };

const ownerLink = { userRef: ['user_ref', 'bigint?'] } as const;

/** Sent with an object: the user to create for it, and whether stored items may be none of its own any more. */
type SentWithObject = { newProjectId: string | null; newUserId: string | null; losesItems: boolean };

const sentWithObject = {
  newProjectId: ['new_project_id', 'text?'],
  newUserId: ['new_user_id', 'text?'],
  losesItems: ['loses_items', 'boolean'],
} as const;

export type SubscriptionColumns = Omit<SubscriptionRow, 'items'>;
export type PurchaseColumns = Omit<PurchaseRow, 'items'>;

export const subscriptionTable = defineTable<SubscriptionColumns, OwnerLink, SentWithObject>({
  name: 'subscriptions',
  primaryKey: ['id'],
  link: ownerLink,
  row: {
    ...objectColumns,
    stripeCreatedAt: ['stripe_created_at', 'timestamptz?'],
    claimsAt: ['claims_at', 'timestamptz?'],
    projectClaimedAt: ['project_claimed_at', 'timestamptz?'],
    status: ['status', 'text?'],
    cancelAt: ['cancel_at', 'timestamptz?'],
    cancelAtPeriodEnd: ['cancel_at_period_end', 'boolean'],
    canceledAt: ['canceled_at', 'timestamptz?'],
    endedAt: ['ended_at', 'timestamptz?'],
    trialEnd: ['trial_end', 'timestamptz?'],
    startDate: ['start_date', 'timestamptz?'],
    collectionPaused: ['collection_paused', 'boolean'],
    pauseBehavior: ['pause_behavior', 'text?'],
    pauseResumesAt: ['pause_resumes_at', 'timestamptz?'],
    discounts: ['discounts', 'jsonb?'],
    schedule: ['schedule', 'jsonb?'],
    pendingPayment: ['pending_payment', 'jsonb?'],
    latestInvoiceId: ['latest_invoice_id', 'text?'],
    latestInvoiceCreatedAt: ['latest_invoice_created_at', 'timestamptz?'],
    otherStatusSeenAt: ['other_status_seen_at', 'timestamptz?'],
    pastDueSeenAt: ['past_due_seen_at', 'timestamptz[]'],
    pastDueSince: ['past_due_since', 'timestamptz?'],
    pastDueReadSince: ['past_due_read_since', 'timestamptz?'],
    pastDueReadAt: ['past_due_read_at', 'timestamptz?'],
  },
  sent: sentWithObject,
});

export const subscriptionItemTable = defineTable<ItemSnapshot, { subscriptionId: string }, object>({
  name: 'subscription_items',
  primaryKey: ['subscriptionId', 'itemId'],
  link: { subscriptionId: ['subscription_id', 'text'] },
  row: {
    itemId: ['item_id', 'text'],
    stripePriceId: ['stripe_price_id', 'text'],
    quantity: ['quantity', 'bigint'],
    currentPeriodStart: ['current_period_start', 'timestamptz?'],
    currentPeriodEnd: ['current_period_end', 'timestamptz?'],
    firstPeriodStart: ['first_period_start', 'timestamptz?'],
    unitAmount: ['unit_amount', 'text?'],
    currency: ['currency', 'text?'],
    interval: ['interval', 'text?'],
    intervalCount: ['interval_count', 'integer?'],
    usageType: ['usage_type', 'text?'],
    billedQuantity: ['billed_quantity', 'bigint?'],
    stripeProductId: ['stripe_product_id', 'text?'],
  },
  sent: {},
});

export const purchaseTable = defineTable<PurchaseColumns, OwnerLink, SentWithObject>({
  name: 'purchases',
  primaryKey: ['id'],
  link: ownerLink,
  row: {
    ...objectColumns,
    sessionId: ['session_id', 'text?'],
    chargeId: ['charge_id', 'text?'],
    invoiceId: ['invoice_id', 'text?'],
    receiptId: ['receipt_invoice_id', 'text?'],
    subscriptionId: ['subscription_id', 'text?'],
    isInvoiceless: ['is_invoiceless', 'boolean'],
    status: ['status', 'text'],
    amount: ['amount', 'bigint?'],
    amountRefunded: ['amount_refunded', 'bigint'],
    currency: ['currency', 'text?'],
    paidAt: ['paid_at', 'timestamptz?'],
    disputeStatus: ['dispute_status', 'text?'],
    record: ['record', 'jsonb'],
  },
  sent: sentWithObject,
});

type BoughtItemColumns = Omit<BoughtItem, 'stripeProductId'> & { stripeProductId: string | null };

export const purchaseItemTable = defineTable<BoughtItemColumns, { purchaseId: string }, object>({
  name: 'purchase_items',
  primaryKey: ['purchaseId', 'stripePriceId'],
  link: { purchaseId: ['purchase_id', 'text'] },
  row: {
    stripePriceId: ['stripe_price_id', 'text'],
    quantity: ['quantity', 'bigint'],
    stripeProductId: ['stripe_product_id', 'text?'],
  },
  sent: {},
});

/** The event's own row, and what it is sent with: its payload goes to another table. */
type EventColumns = Omit<LedgerOutcome, 'payload'>;
type SentWithEvent = { objectKey: string | null; payload: unknown };

export const eventTable = defineTable<EventColumns, object, SentWithEvent>({
  name: 'stripe_events',
  primaryKey: ['eventId'],
  link: {},
  writtenOnce: ['type', 'apiVersion', 'created', 'receivedAt', 'traceId'],
  row: {
    eventId: ['event_id', 'text'],
    type: ['type', 'text'],
    objectId: ['object_id', 'text?'],
    customerId: ['customer_id', 'text?'],
    projectId: ['project_id', 'text?'],
    apiVersion: ['api_version', 'text?'],
    status: ['status', 'text'],
    reason: ['reason', 'text?'],
    awaits: ['awaits', 'text?'],
    created: ['created', 'timestamptz'],
    receivedAt: ['received_at', 'timestamptz'],
    processedAt: ['processed_at', 'timestamptz'],
    traceId: ['trace_id', 'text?'],
  },
  sent: { objectKey: ['object_key', 'text?'], payload: ['payload', 'jsonb'] },
});

export const eventPayloadTable = defineTable<
  Pick<LedgerOutcome, 'eventId' | 'receivedAt' | 'payload'>,
  object,
  object
>({
  name: 'stripe_event_payloads',
  primaryKey: ['eventId', 'receivedAt'],
  link: {},
  row: {
    eventId: ['event_id', 'text'],
    receivedAt: ['received_at', 'timestamptz'],
    payload: ['payload', 'jsonb'],
  },
  sent: {},
});
