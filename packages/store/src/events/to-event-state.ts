import { boughtItem, unknownPurchase } from '@billing/domain';
import type {
  CatalogPrice,
  Erased,
  Instant,
  Owned,
  Owner,
  OwnerSource,
  PurchaseRow,
  SubscriptionRow,
} from '@billing/domain';
import type { EventState, LedgerEntry } from './event-state.ts';
import type { PurchaseColumns, SubscriptionColumns } from './tables.ts';

type RowWithOwner<Row> = { row: Row; userRef: number | null };

/** What `readEventState` reads. What is optional is absent where nothing of its kind was asked for. */
export type StateRow = {
  ledger: LedgerEntry[];
  subscriptions?: RowWithOwner<SubscriptionColumns>[];
  /** By subscription, in the order of their ids. */
  subscriptionItems?: Partial<Record<string, SubscriptionRow['items']>>;
  purchases?: RowWithOwner<PurchaseColumns>[];
  /** By purchase, in the order of their prices. */
  purchaseItems?: Partial<Record<string, PurchaseRow['items']>>;
  customers: { customerId: string; userRef: number | null; isDeleted: boolean }[];
  /** Mappings in further projects than the first. */
  furtherMappings: { customerId: string; userRef: number }[];
  otherOwners?: { objectId: string; userRef: number; source: OwnerSource }[];
  receipts?: string[];
  holders?: { objectId: string; userRef: number }[];
  erasedObjects: { objectId: string; projectId: string; at: number }[];
  erasureMark: number;
  erasedProjects: string[];
  prices: CatalogPrice[];
  stripeProducts: { projectId: string; stripeProductId: string }[];
  projects: { id: string; quarantinesHints: boolean | null }[];
  users: (Owner & { ref: number })[];
};

/** By the object, then by project. */
function erasedById(rows: StateRow['erasedObjects']): Erased['objects'] {
  const byId = new Map<string, Map<string, Instant>>();
  for (const { objectId, projectId, at } of rows)
    byId.set(objectId, (byId.get(objectId) ?? new Map<string, Instant>()).set(projectId, at));
  return byId;
}

export function toEventState(state: StateRow): EventState {
  const { subscriptions = [], purchases = [], otherOwners = [], projects } = state;
  const byRef = new Map(state.users.map((user) => [user.ref, user]));
  const ownerOf = (ref: number | null): Owner | null => (ref === null ? null : (byRef.get(ref) ?? null));
  /** The users that rows lead to, by what the rows name. */
  const usersBy = <T extends { userRef: number | null }>(rows: readonly T[], nameOf: (row: T) => string) => {
    const users = new Map<string, Owner[]>();
    for (const row of rows) {
      const owner = ownerOf(row.userRef);
      if (owner !== null) users.set(nameOf(row), [...(users.get(nameOf(row)) ?? []), owner]);
    }
    return users;
  };
  const others = (objectId: string): Owned[] =>
    otherOwners.flatMap((one) => {
      const owner = one.objectId === objectId ? ownerOf(one.userRef) : null;
      return owner === null ? [] : [{ owner, source: one.source }];
    });
  return {
    ledger: new Map(state.ledger.map((entry) => [entry.eventId, entry])),
    subscriptions: new Map(
      subscriptions.map(({ row, userRef }) => {
        const items = state.subscriptionItems?.[row.id] ?? [];
        const owners = { first: ownerOf(userRef), others: others(row.id) };
        return [row.id, { row: Object.assign(row, { items }), owners }];
      }),
    ),
    purchases: new Map(
      purchases.map(({ row, userRef }) => {
        const items = (state.purchaseItems?.[row.id] ?? []).map((one) =>
          boughtItem(one.stripePriceId, one.quantity, one.stripeProductId),
        );
        // A record from before some of its fields were kept lacks them.
        const record = { ...unknownPurchase(row.id).record, ...row.record };
        const owners = { first: ownerOf(userRef), others: others(row.id) };
        return [row.id, { row: Object.assign(row, { record, items }), owners }];
      }),
    ),
    holders: usersBy(state.holders ?? [], (one) => one.objectId),
    receipts: new Set(state.receipts ?? []),
    deletedCustomers: new Set(state.customers.filter((one) => one.isDeleted).map((one) => one.customerId)),
    mappings: usersBy([...state.customers, ...state.furtherMappings], (one) => one.customerId),
    ...(state.erasedObjects.length === 0
      ? {}
      : { erased: { users: new Map(), objects: erasedById(state.erasedObjects) } }),
    erasureMark: state.erasureMark,
    erasedProjects: state.erasedProjects,
    users: state.users,
    projects: new Set(projects.map(({ id }) => id)),
    hintQuarantines: new Set(projects.filter((one) => one.quarantinesHints).map(({ id }) => id)),
    prices: state.prices,
    stripeProducts: state.stripeProducts,
  };
}
