import { unknownPurchase } from '@billing/domain';
import type { Catalog, CatalogPrice, Owner, PurchaseRow, SubscriptionRow } from '@billing/domain';
import type { Database } from '../create-database.ts';
import type { LedgerStatus } from './outcomes.ts';
import { readStatement } from './read-state-sql.ts';
import type { StateKeys } from './read-state-sql.ts';
import type { PurchaseColumns, SubscriptionColumns } from './tables.ts';

export type LedgerEntry = { eventId: string; status: LedgerStatus };

/** An object's row and the user who has it now. */
export type StoredObject<Row> = { row: Row; owner: Owner | null };

export type EventState = Catalog & {
  ledger: ReadonlyMap<string, LedgerEntry>;
  subscriptions: ReadonlyMap<string, StoredObject<SubscriptionRow>>;
  purchases: ReadonlyMap<string, StoredObject<PurchaseRow>>;
  /** By invoice: the users of the subscriptions whose running period it bills. */
  holders: ReadonlyMap<string, readonly Owner[]>;
  /** Customers that Stripe deleted. */
  deletedCustomers: ReadonlySet<string>;
};

type RowWithOwner<Row> = { row: Row; userRef: number | null };

type StateRow = {
  ledger: LedgerEntry[];
  subscriptions: RowWithOwner<SubscriptionColumns>[];
  /** By subscription, in the order of their ids. */
  subscriptionItems: Partial<Record<string, SubscriptionRow['items']>>;
  purchases: RowWithOwner<PurchaseColumns>[];
  /** By purchase, in the order of their prices. */
  purchaseItems: Partial<Record<string, PurchaseRow['items']>>;
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

function toEventState(state: StateRow): EventState {
  const byRef = new Map(state.users.map((user) => [user.ref, user]));
  const ownerOf = (ref: number | null): Owner | null => (ref === null ? null : (byRef.get(ref) ?? null));
  const mappings = state.customers.flatMap(({ customerId, userRef }) => {
    const owner = ownerOf(userRef);
    return owner === null ? [] : [[customerId, owner] as const];
  });
  const holders = new Map<string, Owner[]>();
  for (const { invoiceId, userRef } of state.holders) {
    const owner = ownerOf(userRef);
    if (owner !== null) holders.set(invoiceId, [...(holders.get(invoiceId) ?? []), owner]);
  }
  return {
    ledger: new Map(state.ledger.map((entry) => [entry.eventId, entry])),
    subscriptions: new Map(
      state.subscriptions.map(({ row, userRef }) => {
        const items = state.subscriptionItems[row.id] ?? [];
        return [row.id, { row: Object.assign(row, { items }), owner: ownerOf(userRef) }];
      }),
    ),
    purchases: new Map(
      state.purchases.map(({ row, userRef }) => {
        const items = state.purchaseItems[row.id] ?? [];
        // A record from before some of its fields were kept lacks them.
        const record = { ...unknownPurchase(row.id).record, ...row.record };
        return [row.id, { row: Object.assign(row, { record, items }), owner: ownerOf(userRef) }];
      }),
    ),
    holders,
    deletedCustomers: new Set(state.customers.filter((one) => one.isDeleted).map((one) => one.customerId)),
    mappings: new Map(mappings),
    users: state.users,
    projects: new Set(state.projects),
    prices: state.prices,
  };
}
