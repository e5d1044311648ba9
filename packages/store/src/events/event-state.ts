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
  /** Stripe's. */
  productIds?: readonly string[];
  /** Subscriptions and invoices that payments name, to find the users for whom they matter. */
  relatedIds?: readonly string[];
};

export type LedgerEntry = { eventId: string; status: LedgerStatus };

/** An object's row and the users who have it now. */
export type StoredObject<Row> = { row: Row; owners: KnownOwners };

export type EventState = Catalog & {
  ledger: ReadonlyMap<string, LedgerEntry>;
  subscriptions: ReadonlyMap<string, StoredObject<SubscriptionRow>>;
  purchases: ReadonlyMap<string, StoredObject<PurchaseRow>>;
  /** The users of the subscriptions and purchases that payments name, by those objects' ids. */
  holders: ReadonlyMap<string, readonly Owner[]>;
  /** Those of the invoices asked for that only record another purchase. */
  receipts: ReadonlySet<string>;
  /** Customers that Stripe deleted. */
  deletedCustomers: ReadonlySet<string>;
  /** The latest erasure that was committed when this was read. */
  erasureMark: number;
  /** The projects in which users were erased. */
  erasedProjects: readonly string[];
};
