import { soldAs } from '../catalog/sold-as.ts';
import type { UserKey } from '../change-user.ts';
import type { Queries } from '../create-database.ts';
import { ownerSourceSql } from '../customers/owner-source.ts';
import { isLive } from '../customers/user-customer.ts';
import { Prisma } from '../generated/client.ts';

/** The user's row; `ref` null: nobody has heard of the user. */
export type ErasedRow = UserKey & { ref: bigint | null; version: bigint };

/** An object of the user's. `isShared`: others own a part of it, so it stays without this user. */
type OwnObject = { id: string; isShared: boolean };

/** What the user has, with Stripe's ids by which events may name it. */
export type Belongings = {
  subscriptions: OwnObject[];
  purchases: OwnObject[];
  /** Ids of sessions and charges besides. */
  otherIds: string[];
  customers: { id: string; isDeleted: boolean; isShared: boolean }[];
};

/** Locks the user's row, if there is one. */
export async function lockErasedUser(tx: Queries, { projectId, userId }: UserKey): Promise<ErasedRow> {
  const [row] = await tx.$queryRaw<{ ref: bigint; version: bigint }[]>`
    SELECT id AS ref, version FROM public.users WHERE project_id = ${projectId} AND user_id = ${userId} FOR UPDATE`;
  return { projectId, userId, ref: row?.ref ?? null, version: row?.version ?? 0n };
}

/**
 * Whether the user may still be charged: by a subscription that is the user's by more than a buyer's hint, or by one of a
 * customer that is mapped to the user.
 */
export async function hasLiveSubscription(tx: Queries, { ref }: ErasedRow): Promise<boolean> {
  const [row] = await tx.$queryRaw<{ exists: boolean }[]>`
    SELECT EXISTS (
      SELECT FROM public.users JOIN public.subscriptions s ON s.user_ref = users.id
        OR s.id = ANY(ARRAY(SELECT o.object_id FROM public.object_owners o WHERE o.user_ref = users.id))
      WHERE users.id = ${ref}::bigint AND ${isLive} AND ${ownerSourceSql('s')} <> 'buyer_hint')
    OR EXISTS (
      SELECT FROM public.subscriptions s WHERE s.user_ref IS NULL AND ${isLive} AND s.stripe_customer_id IN (
        SELECT stripe_customer_id FROM public.customers WHERE user_ref = ${ref}::bigint
        UNION ALL SELECT stripe_customer_id FROM public.customer_users WHERE user_ref = ${ref}::bigint)) AS exists`;
  return row?.exists === true;
}

const objectTables = {
  subscriptions: { items: 'subscription_items', key: 'subscription_id' },
  purchases: { items: 'purchase_items', key: 'purchase_id' },
} as const;

/**
 * The user's objects in a table, and those without an owner that name the user: of the project, or of none that is known.
 * Locked, in the order in which everybody locks them.
 */
function findOwn(
  tx: Queries,
  table: keyof typeof objectTables,
  { ref, projectId, userId }: ErasedRow,
): Promise<OwnObject[]> {
  const objects = Prisma.raw(`public.${table}`);
  const items = Prisma.raw(`public.${objectTables[table].items}`);
  const key = Prisma.raw(objectTables[table].key);
  return tx.$queryRaw<OwnObject[]>`
    SELECT object.id, (object.user_ref IS NOT NULL AND object.user_ref IS DISTINCT FROM ${ref}::bigint) OR EXISTS (
      SELECT FROM public.object_owners o WHERE o.object_id = object.id AND o.user_ref IS DISTINCT FROM ${ref}::bigint) AS "isShared"
    FROM ${objects} object
    WHERE object.id IN (
      SELECT id FROM ${objects} WHERE user_ref = ${ref}::bigint
      UNION ALL SELECT object_id FROM public.object_owners WHERE user_ref = ${ref}::bigint
      UNION ALL
      SELECT named.id FROM ${objects} named
      WHERE named.user_ref IS NULL AND named.claimed_user_id = ${userId}
        AND (named.claimed_project_id = ${projectId} OR (named.claimed_project_id IS NULL AND NOT EXISTS (
          SELECT FROM ${items} i ${soldAs}
          WHERE i.${key} = named.id AND products.project_id <> ${projectId}))))
    ORDER BY object.id FOR UPDATE OF object`;
}

/** Payments that bought nothing by themselves: of the invoices of what the user has. */
async function findPaymentsOf(
  tx: Queries,
  { subscriptions, purchases }: Record<'subscriptions' | 'purchases', readonly OwnObject[]>,
): Promise<OwnObject[]> {
  const idsOf = (objects: readonly OwnObject[]): string[] =>
    objects.filter((one) => !one.isShared).map(({ id }) => id);
  const [subscriptionIds, purchaseIds] = [idsOf(subscriptions), idsOf(purchases)];
  return tx.$queryRaw<OwnObject[]>`
    SELECT p.id, false AS "isShared" FROM public.purchases p
    WHERE p.user_ref IS NULL AND p.id <> ALL(${purchaseIds}::text[])
      AND NOT EXISTS (SELECT FROM public.object_owners o WHERE o.object_id = p.id)
      AND (p.subscription_id = ANY(${subscriptionIds}::text[]) OR p.invoice_id = ANY(${purchaseIds}::text[])
        OR p.id IN (SELECT receipt_invoice_id FROM public.purchases WHERE id = ANY(${purchaseIds}::text[])))
    ORDER BY p.id FOR UPDATE OF p`;
}

export async function findBelongings(tx: Queries, user: ErasedRow): Promise<Belongings> {
  const subscriptions = await findOwn(tx, 'subscriptions', user);
  const own = await findOwn(tx, 'purchases', user);
  const purchases = [...own, ...(await findPaymentsOf(tx, { subscriptions, purchases: own }))];
  const ids = purchases.map(({ id }) => id);
  const others = await tx.$queryRaw<{ id: string }[]>`
    SELECT DISTINCT name AS id FROM public.purchases CROSS JOIN LATERAL unnest(ARRAY[session_id, charge_id]) AS name
    WHERE purchases.id = ANY(${ids}::text[]) AND name IS NOT NULL AND name <> ALL(${ids}::text[])`;
  const customers = await tx.$queryRaw<Belongings['customers']>`
    SELECT c.stripe_customer_id AS id, c.deleted_at IS NOT NULL AS "isDeleted",
      coalesce(c.user_ref <> ${user.ref}::bigint, false) OR EXISTS (
        SELECT FROM public.customer_users f
        WHERE f.stripe_customer_id = c.stripe_customer_id AND f.user_ref IS DISTINCT FROM ${user.ref}::bigint) AS "isShared"
    FROM public.customers c
    WHERE c.user_ref = ${user.ref}::bigint OR c.stripe_customer_id IN (
      SELECT f.stripe_customer_id FROM public.customer_users f WHERE f.user_ref = ${user.ref}::bigint)
    ORDER BY c.stripe_customer_id FOR UPDATE OF c`;
  return { subscriptions, purchases, otherIds: others.map(({ id }) => id), customers };
}
