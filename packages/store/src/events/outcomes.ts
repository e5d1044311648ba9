import type { Instant, Owner, PurchaseRow, SubscriptionRow } from '@billing/domain';
import type { LedgerStatus } from './read-state.ts';
import { storable } from './storable.ts';

/** What became of one event. */
export type LedgerOutcome = {
  eventId: string;
  type: string;
  objectId: string | null;
  customerId: string | null;
  projectId: string | null;
  apiVersion: string | null;
  status: LedgerStatus;
  reason: string | null;
  /** The Stripe customer or price whose mapping heals a quarantined event. */
  awaits: string | null;
  created: Instant;
  receivedAt: Instant;
  processedAt: Instant;
  payload: unknown;
};

type ObjectOutcome<Row> = {
  /** As it shall be stored; its `fence` is the one that was read. */
  row: Row;
  hasNewItems: boolean;
  owner: Owner | null;
  /** Stored users whose entitlements change with it. */
  bumps: readonly number[];
};

/** An object, its events, and everything they change: written whole or not at all. */
export type Outcome =
  | ({ kind: 'subscription'; events: readonly LedgerOutcome[] } & ObjectOutcome<SubscriptionRow>)
  | ({ kind: 'purchase'; events: readonly LedgerOutcome[] } & ObjectOutcome<PurchaseRow>)
  | { kind: 'customer_deleted'; events: readonly LedgerOutcome[]; customerId: string; deletedAt: Instant }
  | { kind: 'none'; events: readonly LedgerOutcome[] };

/** Absent in the JSON that the statement gets, which then reads null: most columns of most rows are. */
const given = <T>(value: T | null): T | undefined => value ?? undefined;

const iso = (at: Instant | null): string | undefined =>
  at === null ? undefined : new Date(at).toISOString();

const ownerColumns = (owner: Owner | null) => ({
  user_ref: owner?.ref ?? undefined,
  new_project_id: owner !== null && owner.ref === null ? owner.projectId : undefined,
  new_user_id: owner !== null && owner.ref === null ? owner.userId : undefined,
});

function subscriptionColumns({ row, hasNewItems, owner }: ObjectOutcome<SubscriptionRow>) {
  return {
    id: row.id,
    ...ownerColumns(owner),
    stripe_customer_id: given(row.customerId),
    claimed_project_id: given(row.claims.projectId),
    claimed_user_id: given(row.claims.userId),
    claims_at: iso(row.claimsAt),
    status: given(row.status),
    cancel_at: iso(row.cancelAt),
    cancel_at_period_end: row.cancelAtPeriodEnd,
    canceled_at: iso(row.canceledAt),
    ended_at: iso(row.endedAt),
    trial_end: iso(row.trialEnd),
    collection_paused: row.collectionPaused,
    latest_invoice_id: given(row.latestInvoiceId),
    latest_invoice_created_at: iso(row.latestInvoiceCreatedAt),
    period_invoice_id: given(row.periodInvoiceId),
    period_invoice_at: iso(row.periodInvoiceAt),
    snapshot_at: iso(row.snapshotAt),
    snapshot_event_id: given(row.snapshotEventId),
    confirmed: row.confirmed,
    fence: row.rowVersion + 1,
    other_status_seen_at: iso(row.otherStatusSeenAt),
    past_due_seen_at: row.pastDueSeenAt.map(iso),
    past_due_since: iso(row.pastDueSince),
    settle_at: iso(row.recheckAt),
    settle_attempts: row.recheckAttempts,
    missing_in_stripe_at: iso(row.missingInStripeAt),
    has_new_items: hasNewItems,
  };
}

function purchaseColumns({ row, hasNewItems, owner }: ObjectOutcome<PurchaseRow>) {
  return {
    id: row.id,
    ...ownerColumns(owner),
    stripe_customer_id: given(row.customerId),
    claimed_project_id: given(row.claims.projectId),
    claimed_user_id: given(row.claims.userId),
    session_id: given(row.sessionId),
    charge_id: given(row.chargeId),
    invoice_id: given(row.invoiceId),
    is_invoiceless: row.isInvoiceless,
    status: given(row.status),
    amount: given(row.amount),
    amount_refunded: row.amountRefunded,
    currency: given(row.currency),
    paid_at: iso(row.paidAt),
    dispute_status: given(row.disputeStatus),
    record: row.record,
    snapshot_at: iso(row.snapshotAt),
    snapshot_event_id: given(row.snapshotEventId),
    confirmed: row.confirmed,
    fence: row.rowVersion + 1,
    settle_at: iso(row.recheckAt),
    settle_attempts: row.recheckAttempts,
    missing_in_stripe_at: iso(row.missingInStripeAt),
    has_new_items: hasNewItems,
  };
}

const eventColumns = (event: LedgerOutcome, objectKey: string | null) => ({
  object_key: given(objectKey),
  event_id: event.eventId,
  type: storable(event.type),
  object_id: given(event.objectId),
  customer_id: given(event.customerId),
  project_id: given(event.projectId),
  api_version: given(storable(event.apiVersion)),
  status: event.status,
  reason: given(event.reason),
  awaits: given(event.awaits),
  created: iso(event.created),
  received_at: iso(event.receivedAt),
  processed_at: iso(event.processedAt),
  payload: storable(event.payload),
});

/** An object's name across tables. */
export function objectKeyOf(outcome: Outcome): string | null {
  if (outcome.kind === 'subscription') return `subscription:${outcome.row.id}`;
  return outcome.kind === 'purchase' ? `purchase:${outcome.row.id}` : null;
}

function newUsersOf(outcomes: readonly Outcome[]) {
  const users = new Map<string, { project_id: string; user_id: string }>();
  for (const outcome of outcomes) {
    if (outcome.kind !== 'subscription' && outcome.kind !== 'purchase') continue;
    const { owner } = outcome;
    if (owner === null || owner.ref !== null) continue;
    const user = { project_id: owner.projectId, user_id: owner.userId };
    users.set(JSON.stringify(user), user);
  }
  return [...users.values()];
}

export type StatementInput = ReturnType<typeof toStatementInput>;

/** The batch as rows of the statement that writes it. */
export function toStatementInput(outcomes: readonly Outcome[]) {
  const subscriptions = outcomes.filter((one) => one.kind === 'subscription');
  const purchases = outcomes.filter((one) => one.kind === 'purchase');
  return {
    newUsers: newUsersOf(outcomes),
    subscriptions: subscriptions.map(subscriptionColumns),
    subscriptionItems: subscriptions
      .filter((one) => one.hasNewItems)
      .flatMap(({ row }) =>
        row.items.map((item) => ({
          subscription_id: row.id,
          item_id: item.itemId,
          stripe_price_id: item.stripePriceId,
          quantity: item.quantity,
          current_period_start: iso(item.currentPeriodStart),
          current_period_end: iso(item.currentPeriodEnd),
        })),
      ),
    purchases: purchases.map(purchaseColumns),
    purchaseItems: purchases
      .filter((one) => one.hasNewItems)
      .flatMap(({ row }) =>
        row.items.map((item) => ({
          purchase_id: row.id,
          stripe_price_id: item.stripePriceId,
          quantity: item.quantity,
        })),
      ),
    tombstones: outcomes
      .filter((one) => one.kind === 'customer_deleted')
      .map(({ customerId, deletedAt }) => ({ id: customerId, deleted_at: iso(deletedAt) })),
    bumps: [...subscriptions, ...purchases].flatMap((one) =>
      one.bumps.map((userRef) => ({ object_key: objectKeyOf(one), user_ref: userRef })),
    ),
    events: outcomes.flatMap((one) => one.events.map((event) => eventColumns(event, objectKeyOf(one)))),
  };
}
