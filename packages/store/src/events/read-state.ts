import type { CatalogPrice, Catalog, Owner, PurchaseRow, SubscriptionRow } from '@billing/domain';
import type { Database } from '../create-database.ts';
import { readStatement } from './read-state-sql.ts';
import { toPurchaseRow, toSubscriptionRow } from './stored-rows.ts';
import type {
  StoredPurchase,
  StoredPurchaseItem,
  StoredSubscription,
  StoredSubscriptionItem,
} from './stored-rows.ts';

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
  /** Invoices that payments name: whose subscriptions they bill. */
  invoiceIds?: readonly string[];
};

export type LedgerStatus = 'applied' | 'stale' | 'ignored' | 'quarantined' | 'failed';
export type LedgerEntry = { eventId: string; status: LedgerStatus };

/** An object's row and the user who has it now. */
export type Held<Row> = { row: Row; owner: Owner | null };

export type EventState = Catalog & {
  ledger: ReadonlyMap<string, LedgerEntry>;
  subscriptions: ReadonlyMap<string, Held<SubscriptionRow>>;
  purchases: ReadonlyMap<string, Held<PurchaseRow>>;
  /** By invoice: the users of the subscriptions whose running period it bills. */
  holders: ReadonlyMap<string, readonly Owner[]>;
  /** Customers that Stripe deleted. */
  deletedCustomers: ReadonlySet<string>;
};

type StateRow = {
  ledger: LedgerEntry[];
  subscriptions: StoredSubscription[];
  subscriptionItems: StoredSubscriptionItem[];
  purchases: StoredPurchase[];
  purchaseItems: StoredPurchaseItem[];
  customers: { customerId: string; userRef: number | null; isDeleted: boolean }[];
  holders: { invoiceId: string; userRef: number }[];
  prices: CatalogPrice[];
  projects: string[];
  users: (Owner & { ref: number })[];
};

/** Reads, in one statement and so of one moment, all that deciding a batch of events needs. */
export const readEventState = async (
  database: Pick<Database, '$queryJson'>,
  keys: StateKeys,
): Promise<EventState> => toEventState(await database.$queryJson<StateRow>(readStatement(keys)));

function groupBy<T>(values: readonly T[], key: (value: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const value of values) {
    const group = groups.get(key(value));
    if (group === undefined) groups.set(key(value), [value]);
    else group.push(value);
  }
  return groups;
}

function toEventState(row: StateRow): EventState {
  const subscriptionItems = groupBy(row.subscriptionItems, (item) => item.subscription_id);
  const purchaseItems = groupBy(row.purchaseItems, (item) => item.purchase_id);
  const byRef = new Map(row.users.map((user) => [user.ref, user]));
  const ownerOf = (ref: number | null): Owner | null => (ref === null ? null : (byRef.get(ref) ?? null));
  const mappings = row.customers.flatMap(({ customerId, userRef }) => {
    const owner = ownerOf(userRef);
    return owner === null ? [] : [[customerId, owner] as const];
  });
  const holders = new Map<string, Owner[]>();
  for (const { invoiceId, userRef } of row.holders) {
    const owner = ownerOf(userRef);
    if (owner !== null) holders.set(invoiceId, [...(holders.get(invoiceId) ?? []), owner]);
  }
  return {
    ledger: new Map(row.ledger.map((entry) => [entry.eventId, entry])),
    subscriptions: new Map(
      row.subscriptions.map((one) => [
        one.id,
        { row: toSubscriptionRow(one, subscriptionItems.get(one.id) ?? []), owner: ownerOf(one.user_ref) },
      ]),
    ),
    purchases: new Map(
      row.purchases.map((one) => [
        one.id,
        { row: toPurchaseRow(one, purchaseItems.get(one.id) ?? []), owner: ownerOf(one.user_ref) },
      ]),
    ),
    holders,
    deletedCustomers: new Set(row.customers.filter((one) => one.isDeleted).map((one) => one.customerId)),
    mappings: new Map(mappings),
    users: row.users,
    projects: new Set(row.projects),
    prices: row.prices,
  };
}
