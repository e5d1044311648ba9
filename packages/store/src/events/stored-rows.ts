import { unknownPurchase } from '@billing/domain';
import type {
  Instant,
  PaymentRecord,
  PurchaseRow,
  PurchaseStatus,
  SubscriptionRow,
  SubscriptionStatus,
} from '@billing/domain';

/** A row of `subscriptions` as Postgres renders it in JSON. */
export type StoredSubscription = {
  id: string;
  user_ref: number | null;
  stripe_customer_id: string | null;
  claimed_project_id: string | null;
  claimed_user_id: string | null;
  claims_at: string | null;
  status: SubscriptionStatus | null;
  cancel_at: string | null;
  cancel_at_period_end: boolean;
  canceled_at: string | null;
  ended_at: string | null;
  trial_end: string | null;
  collection_paused: boolean;
  latest_invoice_id: string | null;
  latest_invoice_created_at: string | null;
  period_invoice_id: string | null;
  period_invoice_at: string | null;
  snapshot_at: string | null;
  snapshot_event_id: string | null;
  confirmed: boolean;
  fence: number;
  other_status_seen_at: string | null;
  past_due_seen_at: string[];
  past_due_since: string | null;
  settle_at: string | null;
  settle_attempts: number;
  missing_in_stripe_at: string | null;
};

export type StoredSubscriptionItem = {
  subscription_id: string;
  item_id: string;
  stripe_price_id: string;
  quantity: number;
  current_period_start: string | null;
  current_period_end: string | null;
};

/** A row of `purchases`. */
export type StoredPurchase = {
  id: string;
  user_ref: number | null;
  stripe_customer_id: string | null;
  claimed_project_id: string | null;
  claimed_user_id: string | null;
  session_id: string | null;
  charge_id: string | null;
  invoice_id: string | null;
  is_invoiceless: boolean;
  status: PurchaseStatus;
  amount: number | null;
  amount_refunded: number;
  currency: string | null;
  paid_at: string | null;
  dispute_status: string | null;
  record: Partial<PaymentRecord>;
  snapshot_at: string | null;
  snapshot_event_id: string | null;
  confirmed: boolean;
  fence: number;
  settle_at: string | null;
  settle_attempts: number;
  missing_in_stripe_at: string | null;
};

export type StoredPurchaseItem = { purchase_id: string; stripe_price_id: string; quantity: number };

const instant = (at: string | null): Instant | null => (at === null ? null : Date.parse(at));

const by =
  <T>(key: (value: T) => string) =>
  (a: T, b: T): number =>
    key(a) < key(b) ? -1 : Number(key(a) > key(b));

export function toSubscriptionRow(
  stored: StoredSubscription,
  items: readonly StoredSubscriptionItem[],
): SubscriptionRow {
  return {
    id: stored.id,
    rowVersion: stored.fence,
    customerId: stored.stripe_customer_id,
    claims: { projectId: stored.claimed_project_id, userId: stored.claimed_user_id },
    claimsAt: instant(stored.claims_at),
    status: stored.status,
    cancelAt: instant(stored.cancel_at),
    cancelAtPeriodEnd: stored.cancel_at_period_end,
    canceledAt: instant(stored.canceled_at),
    endedAt: instant(stored.ended_at),
    trialEnd: instant(stored.trial_end),
    collectionPaused: stored.collection_paused,
    latestInvoiceId: stored.latest_invoice_id,
    latestInvoiceCreatedAt: instant(stored.latest_invoice_created_at),
    periodInvoiceId: stored.period_invoice_id,
    periodInvoiceAt: instant(stored.period_invoice_at),
    items: items
      .map((item) => ({
        itemId: item.item_id,
        stripePriceId: item.stripe_price_id,
        quantity: item.quantity,
        currentPeriodStart: instant(item.current_period_start),
        currentPeriodEnd: instant(item.current_period_end),
      }))
      .sort(by((item) => item.itemId)),
    snapshotAt: instant(stored.snapshot_at),
    snapshotEventId: stored.snapshot_event_id,
    confirmed: stored.confirmed,
    otherStatusSeenAt: instant(stored.other_status_seen_at),
    pastDueSeenAt: stored.past_due_seen_at.map((at) => Date.parse(at)).sort((a, b) => a - b),
    pastDueSince: instant(stored.past_due_since),
    recheckAt: instant(stored.settle_at),
    recheckAttempts: stored.settle_attempts,
    missingInStripeAt: instant(stored.missing_in_stripe_at),
  };
}

export function toPurchaseRow(stored: StoredPurchase, items: readonly StoredPurchaseItem[]): PurchaseRow {
  return {
    id: stored.id,
    rowVersion: stored.fence,
    customerId: stored.stripe_customer_id,
    claims: { projectId: stored.claimed_project_id, userId: stored.claimed_user_id },
    sessionId: stored.session_id,
    chargeId: stored.charge_id,
    invoiceId: stored.invoice_id,
    isInvoiceless: stored.is_invoiceless,
    status: stored.status,
    amount: stored.amount,
    amountRefunded: stored.amount_refunded,
    currency: stored.currency,
    paidAt: instant(stored.paid_at),
    disputeStatus: stored.dispute_status,
    record: { ...unknownPurchase(stored.id).record, ...stored.record },
    snapshotAt: instant(stored.snapshot_at),
    snapshotEventId: stored.snapshot_event_id,
    confirmed: stored.confirmed,
    recheckAt: instant(stored.settle_at),
    recheckAttempts: stored.settle_attempts,
    missingInStripeAt: instant(stored.missing_in_stripe_at),
    items: items
      .map((item) => ({ stripePriceId: item.stripe_price_id, quantity: item.quantity }))
      .sort(by((item) => item.stripePriceId)),
  };
}
