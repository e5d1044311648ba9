import type { PendingInvalidation } from '../change-user.ts';
import type { Database, Queries } from '../create-database.ts';
import { retryOnDeadlock } from '../retry-on-deadlock.ts';
import { assignOwner } from './assign-owner.ts';
import type { Assigned, OwnerAssignment } from './assign-owner.ts';

/*
 * What was quarantined is released by assigning the stored objects to their users: no call to Stripe. All of these
 * may be called any number of times. Who maps something calls them in the mapping's transaction and once
 * more after it (`releaseAgain`); who records an object without an owner calls them after its commit. So, whoever
 * commits last, one of the two sees the other.
 */

export type Released = Assigned & { events: number };

/** After the commit of a mapping: an object that came in between was recorded without seeing it. */
export const releaseAgain = <T>(database: Database, release: (tx: Queries) => Promise<T>): Promise<T> =>
  retryOnDeadlock(() => database.$transaction(release));

/**
 * Assigns every object of a mapped Stripe customer to its user: our mapping goes before what objects claim. A
 * payment that is not known to have bought anything stays without an owner.
 */
export async function releaseForCustomer(tx: Queries, stripeCustomerId: string): Promise<Released> {
  const assignments = await tx.$queryRaw<OwnerAssignment[]>`
    WITH owner AS (
      SELECT u.id, u.project_id, u.user_id FROM customers c JOIN users u ON u.id = c.user_ref
      WHERE c.stripe_customer_id = ${stripeCustomerId}
    )
    SELECT 'subscription' AS kind, s.id AS "objectId", o.project_id AS "projectId", o.user_id AS "userId"
    FROM owner o JOIN subscriptions s ON s.user_ref IS DISTINCT FROM o.id
    WHERE s.stripe_customer_id = ${stripeCustomerId}
    UNION ALL
    SELECT 'purchase', p.id, o.project_id, o.user_id
    FROM owner o JOIN purchases p ON p.user_ref IS DISTINCT FROM o.id
    WHERE p.stripe_customer_id = ${stripeCustomerId}
      AND p.invoice_id IS NULL AND (p.session_id IS NOT NULL OR p.status <> 'pending')`;
  const assigned = await assignOwner(tx, assignments);
  const isMapped = (await tx.customer.count({ where: { stripeCustomerId, userRef: { not: null } } })) > 0;
  return { ...assigned, events: isMapped ? await releaseWaitingEvents(tx, [stripeCustomerId]) : 0 };
}

/**
 * Releases what waited for a Stripe price: its features come from the catalog at each read, so only the ledger
 * and those objects are concerned that name a user but no project: they belong to the price's project.
 */
export async function releaseForPrice(tx: Queries, stripePriceId: string): Promise<PendingInvalidation[]> {
  const assignments = await tx.$queryRaw<OwnerAssignment[]>`
    SELECT 'subscription' AS kind, s.id AS "objectId", p.project_id AS "projectId", s.claimed_user_id AS "userId"
    FROM prices p
    JOIN subscription_items i ON i.stripe_price_id = p.stripe_price_id
    JOIN subscriptions s ON s.id = i.subscription_id
    WHERE p.stripe_price_id = ${stripePriceId}
      AND s.user_ref IS NULL AND s.claimed_user_id IS NOT NULL AND s.claimed_project_id IS NULL
    UNION
    SELECT 'purchase', b.id, p.project_id, b.claimed_user_id
    FROM prices p
    JOIN purchase_items i ON i.stripe_price_id = p.stripe_price_id
    JOIN purchases b ON b.id = i.purchase_id
    WHERE p.stripe_price_id = ${stripePriceId}
      AND b.user_ref IS NULL AND b.claimed_user_id IS NOT NULL AND b.claimed_project_id IS NULL`;
  const isMapped = (await tx.price.count({ where: { stripePriceId } })) > 0;
  return assignAndRelease(tx, assignments, isMapped ? [stripePriceId] : []);
}

/** Assigns objects to the users that they name, now that the project they name exists. */
export async function releaseForProject(tx: Queries, projectId: string): Promise<PendingInvalidation[]> {
  const assignments = await tx.$queryRaw<OwnerAssignment[]>`
    SELECT 'subscription' AS kind, id AS "objectId", claimed_project_id AS "projectId", claimed_user_id AS "userId"
    FROM subscriptions
    WHERE user_ref IS NULL AND claimed_project_id = ${projectId} AND claimed_user_id IS NOT NULL
    UNION ALL
    SELECT 'purchase', id, claimed_project_id, claimed_user_id
    FROM purchases
    WHERE user_ref IS NULL AND claimed_project_id = ${projectId} AND claimed_user_id IS NOT NULL`;
  return assignAndRelease(tx, assignments, [projectId]);
}

async function assignAndRelease(
  tx: Queries,
  assignments: readonly OwnerAssignment[],
  awaited: readonly string[],
): Promise<PendingInvalidation[]> {
  const { pending } = await assignOwner(tx, assignments);
  await releaseWaitingEvents(tx, [...awaited, ...(await customersOf(tx, assignments))]);
  return pending;
}

async function customersOf(tx: Queries, assignments: readonly OwnerAssignment[]): Promise<string[]> {
  if (assignments.length === 0) return [];
  const ids = JSON.stringify(assignments.map(({ objectId }) => objectId));
  const rows = await tx.$queryRaw<{ customer: string }[]>`
    SELECT stripe_customer_id AS customer FROM subscriptions
    WHERE stripe_customer_id IS NOT NULL AND id IN (SELECT value COLLATE "C" FROM jsonb_array_elements_text(${ids}::jsonb))
    UNION
    SELECT stripe_customer_id FROM purchases
    WHERE stripe_customer_id IS NOT NULL AND id IN (SELECT value COLLATE "C" FROM jsonb_array_elements_text(${ids}::jsonb))`;
  return rows.map(({ customer }) => customer);
}

/**
 * Looks again at the quarantined events that wait for `awaited` (a Stripe customer or price, or a project): applied
 * where the object's own row now has its user and all its prices are known, else waiting for what is still missing.
 * Returns how many are applied now. The objects' rows are up to date already: order was decided when the events came.
 */
export async function releaseWaitingEvents(tx: Queries, awaited: readonly string[]): Promise<number> {
  if (awaited.length === 0) return 0;
  const names = JSON.stringify(awaited);
  const released = await tx.$queryRaw<{ status: string }[]>`
    WITH waiting AS (
      SELECT event_id, object_id FROM stripe_events
      WHERE awaits IN (SELECT value COLLATE "C" FROM jsonb_array_elements_text(${names}::jsonb))
        AND status = 'quarantined' AND reason IN ('unknown_customer', 'unknown_project', 'unknown_price')
      ORDER BY event_id FOR UPDATE
    ), object AS (
      SELECT w.event_id, s.user_ref, s.stripe_customer_id, missing.price
      FROM waiting w JOIN subscriptions s ON s.id = w.object_id
      LEFT JOIN LATERAL (
        SELECT min(i.stripe_price_id) AS price FROM subscription_items i
        WHERE i.subscription_id = s.id AND NOT EXISTS (SELECT 1 FROM prices p WHERE p.stripe_price_id = i.stripe_price_id)
      ) missing ON true
      UNION ALL
      SELECT w.event_id, b.user_ref, b.stripe_customer_id, missing.price
      FROM waiting w JOIN purchases b ON w.object_id IN (b.id, b.session_id, b.charge_id)
        -- An invoice that only records another purchase waits for nothing.
        AND NOT EXISTS (SELECT FROM purchases x WHERE x.receipt_invoice_id = b.id)
      LEFT JOIN LATERAL (
        SELECT min(i.stripe_price_id) AS price FROM purchase_items i
        WHERE i.purchase_id = b.id AND NOT EXISTS (SELECT 1 FROM prices p WHERE p.stripe_price_id = i.stripe_price_id)
      ) missing ON true
    ), evaluation AS (
      SELECT w.event_id,
        bool_or(o.event_id IS NOT NULL AND o.user_ref IS NULL) AS is_ownerless,
        max(o.stripe_customer_id) AS customer,
        max(o.price) AS price
      FROM waiting w LEFT JOIN object o USING (event_id) GROUP BY w.event_id
    )
    UPDATE stripe_events e SET
      status = CASE WHEN v.is_ownerless OR v.price IS NOT NULL THEN 'quarantined' ELSE 'applied' END,
      reason = CASE WHEN v.is_ownerless THEN 'unknown_customer' WHEN v.price IS NOT NULL THEN 'unknown_price' END,
      awaits = CASE WHEN v.is_ownerless THEN v.customer ELSE v.price END,
      processed_at = now()
    FROM evaluation v
    WHERE e.event_id = v.event_id AND NOT (v.is_ownerless AND e.reason <> 'unknown_price')
    RETURNING e.status`;
  return released.filter(({ status }) => status === 'applied').length;
}
