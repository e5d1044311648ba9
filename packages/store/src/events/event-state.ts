import type { Catalog, KnownOwners, Owner, PurchaseRow, SubscriptionRow } from '@billing/domain';
import type { LedgerStatus } from './outcomes.ts';

/** Everything that the events of a batch name. */
export type StateKeys = {
  eventIds: readonly string[];
  subscriptionIds: readonly string[];
  purchaseIds: readonly string[];
  customerIds: readonly string[];
  /** Ours or Stripe's. */
  priceIds: readonly string[];
  /** Who the objects claim to belong to. */
  userIds: readonly string[];
  projectIds: readonly string[];
  /** Invoices that payments name, to find the subscriptions that they bill. */
  invoiceIds?: readonly string[];
};

export type LedgerEntry = { eventId: string; status: LedgerStatus };

/** An object's row and the users who have it now. */
export type StoredObject<Row> = { row: Row; owners: KnownOwners };

export type EventState = Catalog & {
  ledger: ReadonlyMap<string, LedgerEntry>;
  subscriptions: ReadonlyMap<string, StoredObject<SubscriptionRow>>;
  purchases: ReadonlyMap<string, StoredObject<PurchaseRow>>;
  /** By invoice: the users of the subscriptions whose running period it bills. */
  holders: ReadonlyMap<string, readonly Owner[]>;
  /** Customers that Stripe deleted. */
  deletedCustomers: ReadonlySet<string>;
};
