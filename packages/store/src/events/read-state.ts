import { unknownPurchase } from '@billing/domain';
import type { CatalogPrice, Owned, Owner, OwnerSource, PurchaseRow, SubscriptionRow } from '@billing/domain';
import type { Database } from '../create-database.ts';
import type { Prisma } from '../generated/client.ts';
import { createTemplates } from '../sql-template.ts';
import type { EventState, LedgerEntry, StateKeys } from './event-state.ts';
import { stateSql } from './state-sql.ts';
import type { PurchaseColumns, SubscriptionColumns } from './tables.ts';

const templateFor = createTemplates(stateSql);

/** The keys by the names that the statement gives them, each key once. */
function listsOf({ relatedIds = [], ...keys }: StateKeys) {
  return {
    event_ids: [...new Set(keys.eventIds)],
    subscription_ids: [...new Set(keys.subscriptionIds)],
    purchase_ids: [...new Set(keys.purchaseIds)],
    customer_ids: [...new Set(keys.customerIds)],
    price_ids: [...new Set(keys.priceIds)],
    user_ids: [...new Set(keys.userIds)],
    project_ids: [...new Set(keys.projectIds)],
    related_ids: [...new Set(relatedIds)],
  };
}

function readStatement(keys: StateKeys): Prisma.Sql {
  const { related_ids, ...lists } = listsOf(keys);
  const isLone = Object.values(lists).every(({ length }) => length <= 1);
  const shape = {
    isLone,
    hasSubscriptions: lists.subscription_ids.length > 0,
    hasPurchases: lists.purchase_ids.length > 0,
    hasRelated: lists.purchase_ids.length > 0 || related_ids.length > 0,
  };
  const values = isLone
    ? Object.fromEntries(Object.entries(lists).map(([name, [first]]) => [name, first]))
    : lists;
  return templateFor(shape)({ ...values, related_ids });
}

type RowWithOwner<Row> = { row: Row; userRef: number | null };

/** What is optional is absent where nothing of its kind was asked for. */
type StateRow = {
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
  prices: CatalogPrice[];
  projects: { id: string; quarantinesHints: boolean | null }[];
  users: (Owner & { ref: number })[];
};

/** Reads, in one statement and so of one moment, all that deciding a batch of events needs. */
export const readEventState = async (
  database: Pick<Database, '$queryJson'>,
  keys: StateKeys,
): Promise<EventState> => toEventState(await database.$queryJson<StateRow>(readStatement(keys)));

function toEventState(state: StateRow): EventState {
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
        const items = state.purchaseItems?.[row.id] ?? [];
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
    users: state.users,
    projects: new Set(projects.map(({ id }) => id)),
    hintQuarantines: new Set(projects.filter((one) => one.quarantinesHints).map(({ id }) => id)),
    prices: state.prices,
  };
}
