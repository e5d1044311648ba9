import type { PendingInvalidation } from '../change-user.ts';
import type { Queries } from '../create-database.ts';
import { attachObjects } from './attach-objects.ts';
import type { Attached, Attachment } from './attach-objects.ts';
import { releaseWaitingEvents } from './release-events.ts';

/**
 * What was quarantined is released by giving the objects' rows to their users: no call to Stripe. All of these
 * may be called any number of times. Who maps something calls them in the mapping's transaction and once
 * more after it; who records an object without an owner calls them after its commit. So, whoever commits
 * last, one of the two sees the other.
 */

export type Released = Attached & { events: number };

/**
 * Gives every object of a mapped Stripe customer to its user: our mapping wins over what objects claim. A
 * payment with which nobody is known to have bought anything stays nobody's.
 */
export async function releaseForCustomer(tx: Queries, stripeCustomerId: string): Promise<Released> {
  const attachments = await tx.$queryRaw<Attachment[]>`
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
  const attached = await attachObjects(tx, attachments);
  const isMapped = (await tx.customer.count({ where: { stripeCustomerId, userRef: { not: null } } })) > 0;
  return { ...attached, events: isMapped ? await releaseWaitingEvents(tx, [stripeCustomerId]) : 0 };
}

/**
 * Heals what waited for a Stripe price: its features come from the catalog at each read, so only the ledger
 * and those objects are concerned that name a user but no project: theirs is the price's project.
 */
export async function releaseForPrice(tx: Queries, stripePriceId: string): Promise<PendingInvalidation[]> {
  const attachments = await tx.$queryRaw<Attachment[]>`
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
  const { pending } = await attachObjects(tx, attachments);
  const customers = await customersOf(tx, attachments);
  const isMapped = (await tx.price.count({ where: { stripePriceId } })) > 0;
  if (isMapped) await releaseWaitingEvents(tx, [stripePriceId, ...customers]);
  return pending;
}

/** Gives objects to the users that they name, now that the project they name exists. */
export async function releaseForProject(tx: Queries, projectId: string): Promise<PendingInvalidation[]> {
  const attachments = await tx.$queryRaw<Attachment[]>`
    SELECT 'subscription' AS kind, id AS "objectId", claimed_project_id AS "projectId", claimed_user_id AS "userId"
    FROM subscriptions
    WHERE user_ref IS NULL AND claimed_project_id = ${projectId} AND claimed_user_id IS NOT NULL
    UNION ALL
    SELECT 'purchase', id, claimed_project_id, claimed_user_id
    FROM purchases
    WHERE user_ref IS NULL AND claimed_project_id = ${projectId} AND claimed_user_id IS NOT NULL`;
  const { pending } = await attachObjects(tx, attachments);
  await releaseWaitingEvents(tx, [projectId, ...(await customersOf(tx, attachments))]);
  return pending;
}

async function customersOf(tx: Queries, attachments: readonly Attachment[]): Promise<string[]> {
  if (attachments.length === 0) return [];
  const ids = JSON.stringify(attachments.map(({ objectId }) => objectId));
  const rows = await tx.$queryRaw<{ customer: string }[]>`
    SELECT stripe_customer_id AS customer FROM subscriptions
    WHERE stripe_customer_id IS NOT NULL AND id IN (SELECT value COLLATE "C" FROM jsonb_array_elements_text(${ids}::jsonb))
    UNION
    SELECT stripe_customer_id FROM purchases
    WHERE stripe_customer_id IS NOT NULL AND id IN (SELECT value COLLATE "C" FROM jsonb_array_elements_text(${ids}::jsonb))`;
  return rows.map(({ customer }) => customer);
}
