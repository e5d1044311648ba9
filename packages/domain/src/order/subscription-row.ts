import { noClaims } from '../stripe/claims.ts';
import type { Claims } from '../stripe/claims.ts';
import { noContent } from '../stripe/subscription.ts';
import type {
  ItemSnapshot,
  SubscriptionContent,
  SubscriptionSnapshot,
  SubscriptionStatus,
} from '../stripe/subscription.ts';
import type { Instant } from '../time.ts';

/** The newest known state of a subscription, and what deciding the order of later events needs. */
export type SubscriptionRow = SubscriptionContent & {
  id: string;
  /** 0: not stored yet. Grows with every write. */
  rowVersion: number;
  /** Stripe's `created`; null: not heard. */
  stripeCreatedAt: Instant | null;
  customerId: string | null;
  claims: Claims;
  /** `created` of the snapshot that the claimed user comes from; null: another object claims it, or none does. */
  claimsAt: Instant | null;
  /** The same of the claimed project. */
  projectClaimedAt: Instant | null;
  /** Null: another object named the subscription, its own state is not known yet. */
  status: SubscriptionStatus | null;
  items: ItemSnapshot[];
  /** `created` of the newest event that this state is at least as new as. */
  snapshotAt: Instant | null;
  snapshotEventId: string | null;
  /** False: the state may be outdated and will be read from Stripe again, or Stripe does not have it. */
  confirmed: boolean;
  /** `created` of the newest snapshot with a status other than `past_due`. */
  otherStatusSeenAt: Instant | null;
  /** `created` of the `past_due` snapshots after that, ascending. */
  pastDueSeenAt: Instant[];
  pastDueSince: Instant | null;
  /** The start of being past due as the first read of Stripe showed it; null: no read did. */
  pastDueReadSince: Instant | null;
  /** When that read was made; null: the subscription's clock runs ahead of ours. */
  pastDueReadAt: Instant | null;
  recheckAt: Instant | null;
  recheckAttempts: number;
  missingInStripeAt: Instant | null;
};

/** The row of a subscription of which nothing but its id is known. */
export const unknownSubscription = (id: string): SubscriptionRow => ({
  id,
  rowVersion: 0,
  stripeCreatedAt: null,
  customerId: null,
  claims: noClaims,
  claimsAt: null,
  projectClaimedAt: null,
  status: null,
  ...noContent,
  items: [],
  snapshotAt: null,
  snapshotEventId: null,
  confirmed: true,
  otherStatusSeenAt: null,
  pastDueSeenAt: [],
  pastDueSince: null,
  pastDueReadSince: null,
  pastDueReadAt: null,
  recheckAt: null,
  recheckAttempts: 0,
  missingInStripeAt: null,
});

/**
 * Fields of the row that say nothing about access, only about order, owner and payment. All others are read with the
 * sources, and so can be explained.
 */
export const subscriptionBookkeeping = [
  'rowVersion',
  'stripeCreatedAt',
  'customerId',
  'claims',
  'claimsAt',
  'projectClaimedAt',
  'canceledAt',
  'pauseBehavior',
  'pauseResumesAt',
  'discounts',
  'schedule',
  'pendingPayment',
  'latestInvoiceId',
  'latestInvoiceCreatedAt',
  'snapshotAt',
  'snapshotEventId',
  'otherStatusSeenAt',
  'pastDueSeenAt',
  'pastDueReadSince',
  'pastDueReadAt',
  'recheckAt',
  'recheckAttempts',
  'missingInStripeAt',
] as const;

/** Stripe: these statuses never change again ("The Subscription object", `status`). */
export const isTerminal = (status: SubscriptionStatus | null): boolean =>
  status === 'canceled' || status === 'incomplete_expired';

/** It may still be charged: it has begun, and not ended. */
export const isLiveStatus = (status: SubscriptionStatus): boolean =>
  status !== 'incomplete' && !isTerminal(status);

/** A snapshot and the event that carried it. */
export type Incoming = { snapshot: SubscriptionSnapshot; created: Instant; eventId: string };

const itemKey = (item: ItemSnapshot) => [
  item.itemId,
  item.stripePriceId,
  item.quantity,
  item.currentPeriodStart,
  item.currentPeriodEnd,
];

const contentKey = (content: SubscriptionRow | SubscriptionSnapshot): string =>
  JSON.stringify([
    content.status,
    content.cancelAt,
    content.cancelAtPeriodEnd,
    content.endedAt,
    content.trialEnd,
    content.collectionPaused,
    content.pauseBehavior,
    content.pauseResumesAt,
    content.schedule?.scheduleId,
    content.pendingPayment?.expiresAt,
    content.latestInvoiceId,
    content.items.map(itemKey),
  ]);

/** Where one of the two does not say, they do not differ. */
const hasSameDiscounts = (row: SubscriptionRow, snapshot: SubscriptionSnapshot): boolean =>
  row.discounts === null ||
  snapshot.discounts === null ||
  row.discounts.map((one) => one.discountId).join() ===
    snapshot.discounts.map((one) => one.discountId).join();

/** Whether the row already has the snapshot's status, end, pause, schedule, invoice, items and discounts. */
export const hasSameContent = (row: SubscriptionRow, snapshot: SubscriptionSnapshot): boolean =>
  contentKey(row) === contentKey(snapshot) && hasSameDiscounts(row, snapshot);

/** The fields that entitlements are computed from: when they change, the user's version grows. */
export const subscriptionEntitlementInputs = (row: SubscriptionRow): string =>
  JSON.stringify([
    row.status,
    row.cancelAt,
    row.cancelAtPeriodEnd,
    row.endedAt,
    row.trialEnd,
    row.startDate,
    row.collectionPaused,
    row.pastDueSince,
    row.confirmed,
    row.items.map((item) => [...itemKey(item), item.firstPeriodStart, item.stripeProductId]),
  ]);
