import type { OwnerSource } from '../order/resolve-owner.ts';
import type { subscriptionBookkeeping, SubscriptionRow } from '../order/subscription-row.ts';
import type { Cover } from '../stripe/invoice.ts';
import type { Instant } from '../time.ts';
import type { SettingsByCode } from '../usage/features.ts';

/** The last Stripe event that changed a source. */
export type LastEvent = { event_id: string; type: string; created: Instant };

/** How much was paid for a thing, refunded and disputed, over all its payments. */
export type PaymentState = {
  /** In the currency's smallest unit, and however it was paid; null: not known. */
  amount: number | null;
  amountRefunded: number;
  /** Stripe's status of the dispute; null: never disputed. */
  disputeStatus: string | null;
};

/** A payment of a subscription's invoice that has refunds or disputes. `amount`: of the whole invoice. */
export type ReversedPayment = PaymentState & { invoiceId: string; covers: readonly Cover[] };

export type SubscriptionItemSource = {
  itemId: string;
  stripePriceId: string;
  quantity: number;
  currentPeriodStart: Instant | null;
  currentPeriodEnd: Instant | null;
  /** As which it is sold. Null, as the feature codes: it is not in the project's catalog. Absent: not known. */
  productId?: string | null;
  /** Of the product. Absent or null: it has none. */
  group?: string | null;
  featureCodes: readonly string[] | null;
  /** What the product says of those that are limits or metered. Absent or null: none of them is. */
  features?: SettingsByCode | null;
  /** Start of the earliest period that was heard of the item. Absent: not known. */
  firstPeriodStart?: Instant | null;
};

export type SubscriptionSource = Omit<SubscriptionRow, (typeof subscriptionBookkeeping)[number] | 'items'> & {
  reversedPayments: readonly ReversedPayment[];
  items: readonly SubscriptionItemSource[];
  lastEvent: LastEvent | null;
  /** Absent or null: not asked; it is where the policy makes a difference by it. */
  ownerSource?: OwnerSource | null;
};

export type PurchaseItemSource = {
  stripePriceId: string;
  quantity: number;
  /** Null, as the feature codes: it is not in the project's catalog. */
  productId: string | null;
  /** Of the product. Absent or null: it has none. */
  group?: string | null;
  featureCodes: readonly string[] | null;
  features?: SettingsByCode | null;
  /** Of one piece; null: for ever. */
  accessDays: number | null;
};

export type PurchaseSource = {
  id: string;
  status: 'pending' | 'paid' | 'failed';
  paidAt: Instant | null;
  payment: PaymentState;
  confirmed: boolean;
  items: readonly PurchaseItemSource[];
  lastEvent: LastEvent | null;
  /** Absent or null: not asked; it is where the policy makes a difference by it. */
  ownerSource?: OwnerSource | null;
};

export type GrantSource = {
  id: string;
  featureCode: string;
  validFrom: Instant;
  validTo: Instant | null;
  revokedAt: Instant | null;
  /** Of a limit or metered feature; null: unlimited. Absent: the feature is boolean. */
  amount?: number | null;
};

/** A product that every user of the project has while nothing else of its group is in force. */
export type DefaultSource = {
  productId: string;
  /** Absent or null: only the product itself takes its place. */
  group?: string | null;
  featureCodes: readonly string[];
  features: SettingsByCode;
};

/** Everything that can grant a user a feature, as stored. */
export type Sources = {
  subscriptions: readonly SubscriptionSource[];
  purchases: readonly PurchaseSource[];
  grants: readonly GrantSource[];
  /** Of the project. Absent: none. */
  defaults?: readonly DefaultSource[];
};
