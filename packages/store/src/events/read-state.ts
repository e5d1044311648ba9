import type { CatalogPrice, Catalog, Owner, PurchaseRow, SubscriptionRow } from '@billing/domain';
import type { Database } from '../create-database.ts';
import { toPurchaseRow, toSubscriptionRow } from './stored-rows.ts';
import type { StoredPurchase, StoredSubscription } from './stored-rows.ts';

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
  purchases: StoredPurchase[];
  customers: { customerId: string; userRef: number | null; isDeleted: boolean }[];
  holders: { invoiceId: string; userRef: number }[];
  prices: CatalogPrice[];
  projects: string[];
  users: (Owner & { ref: number })[];
};

/** Reads, in one statement and so of one moment, all that deciding a batch of events needs. */
export async function readEventState(database: Database, keys: StateKeys): Promise<EventState> {
  const rows = await database.$queryRaw<StateRow[]>`
    WITH
    s AS MATERIALIZED (SELECT * FROM subscriptions WHERE id = ANY(${[...keys.subscriptionIds]}::text[])),
    p AS MATERIALIZED (SELECT * FROM purchases WHERE id = ANY(${[...keys.purchaseIds]}::text[])),
    si AS MATERIALIZED (SELECT i.* FROM subscription_items i JOIN s ON s.id = i.subscription_id),
    pi AS MATERIALIZED (SELECT i.* FROM purchase_items i JOIN p ON p.id = i.purchase_id),
    c AS MATERIALIZED (
      SELECT stripe_customer_id, user_ref, deleted_at FROM customers
      WHERE stripe_customer_id = ANY(
        ${[...keys.customerIds]}::text[]
        || ARRAY(SELECT stripe_customer_id FROM s) || ARRAY(SELECT stripe_customer_id FROM p))),
    h AS MATERIALIZED (
      SELECT DISTINCT coalesce(period_invoice_id, latest_invoice_id) AS invoice_id, user_ref FROM subscriptions
      WHERE user_ref IS NOT NULL AND coalesce(period_invoice_id, latest_invoice_id) = ANY(
        ${[...(keys.invoiceIds ?? [])]}::text[] || ARRAY(SELECT invoice_id FROM p WHERE invoice_id IS NOT NULL))),
    claimed_projects AS MATERIALIZED (
      SELECT unnest(${[...keys.projectIds]}::text[]) AS id
      UNION SELECT claimed_project_id FROM s UNION SELECT claimed_project_id FROM p
      UNION SELECT u.project_id FROM users u JOIN c ON c.user_ref = u.id),
    pr AS MATERIALIZED (
      SELECT project_id, price_id, stripe_price_id, interval FROM prices
      WHERE stripe_price_id = ANY(
        ${[...keys.priceIds]}::text[]
        || ARRAY(SELECT stripe_price_id FROM si) || ARRAY(SELECT stripe_price_id FROM pi))
      UNION
      SELECT project_id, price_id, stripe_price_id, interval FROM prices
      WHERE project_id = ANY(ARRAY(SELECT id FROM claimed_projects)) AND price_id = ANY(${[...keys.priceIds]}::text[])),
    pj AS MATERIALIZED (
      SELECT id FROM projects
      WHERE id = ANY(ARRAY(SELECT id FROM claimed_projects) || ARRAY(SELECT project_id FROM pr))),
    u AS MATERIALIZED (
      SELECT id, project_id, user_id, version FROM users
      WHERE id = ANY(ARRAY(SELECT user_ref FROM c) || ARRAY(SELECT user_ref FROM s) || ARRAY(SELECT user_ref FROM p)
        || ARRAY(SELECT user_ref FROM h))
      UNION
      SELECT id, project_id, user_id, version FROM users
      WHERE project_id = ANY(ARRAY(SELECT id FROM pj)) AND user_id = ANY(
        ${[...keys.userIds]}::text[]
        || ARRAY(SELECT claimed_user_id FROM s) || ARRAY(SELECT claimed_user_id FROM p)))
    SELECT
      (SELECT coalesce(jsonb_agg(jsonb_build_object('eventId', event_id, 'status', status)), '[]')
       FROM stripe_events WHERE event_id = ANY(${[...keys.eventIds]}::text[])) AS ledger,
      (SELECT coalesce(jsonb_agg(to_jsonb(s) || jsonb_build_object('items',
        (SELECT coalesce(jsonb_agg(to_jsonb(si)), '[]') FROM si WHERE si.subscription_id = s.id))), '[]')
       FROM s) AS subscriptions,
      (SELECT coalesce(jsonb_agg(to_jsonb(p) || jsonb_build_object('items',
        (SELECT coalesce(jsonb_agg(to_jsonb(pi)), '[]') FROM pi WHERE pi.purchase_id = p.id))), '[]')
       FROM p) AS purchases,
      (SELECT coalesce(jsonb_agg(jsonb_build_object('customerId', stripe_customer_id, 'userRef', user_ref,
        'isDeleted', deleted_at IS NOT NULL)), '[]') FROM c) AS customers,
      (SELECT coalesce(jsonb_agg(jsonb_build_object('invoiceId', invoice_id, 'userRef', user_ref)
        ORDER BY user_ref), '[]') FROM h) AS holders,
      (SELECT coalesce(jsonb_agg(jsonb_build_object(
        'projectId', project_id, 'priceId', price_id, 'stripePriceId', stripe_price_id,
        'isRecurring', interval <> 'one_time')), '[]') FROM pr) AS prices,
      (SELECT coalesce(jsonb_agg(id), '[]') FROM pj) AS projects,
      (SELECT coalesce(jsonb_agg(jsonb_build_object(
        'ref', id, 'projectId', project_id, 'userId', user_id, 'version', version)), '[]') FROM u) AS users`;
  const [row] = rows;
  if (row === undefined) throw new Error('reading the state of events returned no row');
  return toEventState(row);
}

function toEventState(row: StateRow): EventState {
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
      row.subscriptions.map((one) => [one.id, { row: toSubscriptionRow(one), owner: ownerOf(one.user_ref) }]),
    ),
    purchases: new Map(
      row.purchases.map((one) => [one.id, { row: toPurchaseRow(one), owner: ownerOf(one.user_ref) }]),
    ),
    holders,
    deletedCustomers: new Set(row.customers.filter((one) => one.isDeleted).map((one) => one.customerId)),
    mappings: new Map(mappings),
    users: row.users,
    projects: new Set(row.projects),
    prices: row.prices,
  };
}
