import type { SubscriptionStatus } from '../entitlements/sources.ts';
import type { Claims } from '../stripe/claims.ts';
import { noClaims } from '../stripe/claims.ts';
import type { ItemSnapshot, SubscriptionSnapshot } from '../stripe/subscription.ts';
import type { Instant } from '../time.ts';

/** The newest state of a subscription that is known, and what the order of later events needs. */
export type SubscriptionRow = {
  id: string;
  /** 0: not stored yet. Grows with every write. */
  rowVersion: number;
  customerId: string | null;
  claims: Claims;
  /** `created` of the snapshot that the claims come from; null: another object's word. */
  claimsAt: Instant | null;
  /** Null: named by another object, its own state is not known yet. */
  status: SubscriptionStatus | null;
  cancelAt: Instant | null;
  cancelAtPeriodEnd: boolean;
  canceledAt: Instant | null;
  endedAt: Instant | null;
  trialEnd: Instant | null;
  collectionPaused: boolean;
  latestInvoiceId: string | null;
  latestInvoiceCreatedAt: Instant | null;
  /** The newest paid invoice of a period: its payment is that of the period now running. */
  periodInvoiceId: string | null;
  periodInvoiceAt: Instant | null;
  items: ItemSnapshot[];
  /** `created` of the newest event that this state is at least as new as. */
  snapshotAt: Instant | null;
  snapshotEventId: string | null;
  confirmed: boolean;
  otherStatusSeenAt: Instant | null;
  pastDueSeenAt: Instant[];
  pastDueSince: Instant | null;
  recheckAt: Instant | null;
  recheckAttempts: number;
  missingInStripeAt: Instant | null;
};

/** A subscription of which nothing is known but that another object names it. */
export const unknownSubscription = (id: string): SubscriptionRow => ({
  id,
  rowVersion: 0,
  customerId: null,
  claims: noClaims,
  claimsAt: null,
  status: null,
  cancelAt: null,
  cancelAtPeriodEnd: false,
  canceledAt: null,
  endedAt: null,
  trialEnd: null,
  collectionPaused: false,
  latestInvoiceId: null,
  latestInvoiceCreatedAt: null,
  periodInvoiceId: null,
  periodInvoiceAt: null,
  items: [],
  snapshotAt: null,
  snapshotEventId: null,
  confirmed: true,
  otherStatusSeenAt: null,
  pastDueSeenAt: [],
  pastDueSince: null,
  recheckAt: null,
  recheckAttempts: 0,
  missingInStripeAt: null,
});

export const isTerminal = (status: SubscriptionStatus | null): boolean =>
  status === 'canceled' || status === 'incomplete_expired';

/** A snapshot and the event that carried it. */
export type Incoming = { snapshot: SubscriptionSnapshot; created: Instant; eventId: string };

const itemKey = (item: ItemSnapshot): unknown[] => [
  item.itemId,
  item.stripePriceId,
  item.quantity,
  item.currentPeriodStart,
  item.currentPeriodEnd,
];

type Content = Pick<
  SubscriptionRow,
  | 'status'
  | 'cancelAt'
  | 'cancelAtPeriodEnd'
  | 'endedAt'
  | 'trialEnd'
  | 'collectionPaused'
  | 'latestInvoiceId'
> & { items: readonly ItemSnapshot[] };

const contentKey = (content: Content): string =>
  JSON.stringify([
    content.status,
    content.cancelAt,
    content.cancelAtPeriodEnd,
    content.endedAt,
    content.trialEnd,
    content.collectionPaused,
    content.latestInvoiceId,
    content.items.map(itemKey),
  ]);

/** Whether the row already says what the snapshot says. */
export const saysTheSame = (row: SubscriptionRow, snapshot: SubscriptionSnapshot): boolean =>
  contentKey(row) === contentKey(snapshot);

/** What an entitlement is computed from: a change of it makes cached answers old. */
export const subscriptionEntitlementInputs = (row: SubscriptionRow): string =>
  JSON.stringify([
    row.status,
    row.cancelAt,
    row.cancelAtPeriodEnd,
    row.endedAt,
    row.collectionPaused,
    row.pastDueSince,
    row.confirmed,
    periodInvoiceOf(row),
    row.items.map(itemKey),
  ]);

/** The invoice whose payment pays the period now running; until a paid one is heard of, the latest. */
export const periodInvoiceOf = (row: SubscriptionRow): string | null =>
  row.periodInvoiceId ?? row.latestInvoiceId;
