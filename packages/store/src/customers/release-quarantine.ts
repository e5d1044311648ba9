import type { Cause } from '@billing/domain';
import { bumpAccepted } from '../change-user.ts';
import type { PendingInvalidation } from '../change-user.ts';
import type { Database, Queries } from '../create-database.ts';
import { keyOf } from '../events/outcomes.ts';
import type { ObjectKey } from '../events/outcomes.ts';
import { Prisma } from '../generated/client.ts';
import { noteUsers } from '../dry-run.ts';
import { decideAgain } from './decide-again.ts';
import type { DecidedAgain } from './decide-again.ts';
import { findObjectsNamed, findWaiting, updateWaiting } from './waiting-events.ts';

/*
 * What was quarantined is released by deciding the stored objects' owners again, by the same rules as events are: no call
 * to Stripe. All of these may be called any number of times. Who maps something calls them in the mapping's transaction
 * and once more after it (`releaseAgain`); who records an object that waits calls them after its commit. So, whoever
 * commits last, one of the two sees the other.
 */

/** How many objects got another owner, and how many events count now. */
export type Released = {
  subscriptions: number;
  purchases: number;
  events: number;
  pending: PendingInvalidation[];
};

/** After the commit of a mapping: an object that came in between was recorded without seeing it. */
export const releaseAgain = <T>(database: Database, release: (tx: Queries) => Promise<T>): Promise<T> =>
  database.$transaction(release);

type Release = {
  objects: readonly ObjectKey[];
  /** What events may wait for. */
  names: readonly string[];
  /** The names are mapped: an event about no stored object waits no longer. */
  areMapped: boolean;
  /** As messages to products say it. */
  cause: Cause;
};

/** A customer or object whose user in a project an operator, or the project's backend, has named. */
export type Named = { projectId: string; name: string; cause: Cause };

/** Releases by a mapping or an assignment, and bumps those to whom a project gives nothing without one. */
async function withAccepted(
  tx: Queries,
  { projectId, name, cause }: Named,
  released: Released,
): Promise<Released> {
  const { pending } = released;
  const accepted = await bumpAccepted(tx, { projectId, names: [name], except: pending, cause });
  return { ...released, pending: [...pending, ...accepted] };
}

export const releaseByMapping = async (tx: Queries, mapped: Named): Promise<Released> =>
  withAccepted(tx, mapped, await releaseForCustomer(tx, mapped.name, mapped.cause));

export const releaseByAssignment = async (
  tx: Queries,
  { projectId, object, cause }: { projectId: string; object: ObjectKey; cause: Cause },
): Promise<Released> =>
  withAccepted(tx, { projectId, name: object.id, cause }, await releaseForObject(tx, object, cause));

/** Lets the events count that wait because a project accepted no buyer's hints. What was withheld is granted without it. */
export async function releaseHints(tx: Queries, projectId: string): Promise<PendingInvalidation[]> {
  const waiting = await tx.$queryRaw<{ awaits: string }[]>`
    SELECT DISTINCT awaits FROM public.stripe_events
    WHERE status = 'quarantined' AND reason = 'buyer_hint' AND project_id = ${projectId}`;
  if (waiting.length === 0) return [];
  const names = waiting.map(({ awaits }) => awaits);
  return (await releaseAll(tx, { objects: [], names, areMapped: true, cause: 'policy' })).pending;
}

/** Decides every object of a Stripe customer again. */
async function releaseForCustomer(tx: Queries, stripeCustomerId: string, cause: Cause): Promise<Released> {
  const objects = await tx.$queryRaw<ObjectKey[]>`
    SELECT 'subscription' AS kind, id FROM public.subscriptions WHERE stripe_customer_id = ${stripeCustomerId}
    UNION ALL
    SELECT 'purchase', id FROM public.purchases WHERE stripe_customer_id = ${stripeCustomerId}`;
  const areMapped = (await tx.customer.count({ where: { stripeCustomerId, userRef: { not: null } } })) > 0;
  return releaseAll(tx, { objects, names: [stripeCustomerId], areMapped, cause });
}

/** Decides an object again, and what else its customer has: their events may wait for the same. */
export async function releaseForObject(tx: Queries, object: ObjectKey, cause: Cause): Promise<Released> {
  const [stored] = await tx.$queryRaw<{ customerId: string | null; receiptId: string | null }[]>`
    SELECT stripe_customer_id AS "customerId", NULL AS "receiptId" FROM public.subscriptions
    WHERE ${object.kind === 'subscription'} AND id = ${object.id}
    UNION ALL
    SELECT stripe_customer_id, receipt_invoice_id FROM public.purchases
    WHERE ${object.kind === 'purchase'} AND id = ${object.id}`;
  const names = [object.id];
  if (stored === undefined) return releaseAll(tx, { objects: [], names, areMapped: false, cause });
  const { customerId, receiptId } = stored;
  if (customerId !== null) return releaseForCustomer(tx, customerId, cause);
  const receipt: ObjectKey[] = receiptId === null ? [] : [{ kind: 'purchase', id: receiptId }];
  return releaseAll(tx, { objects: [object, ...receipt], names, areMapped: false, cause });
}

/** Objects with an item for which the condition holds; it names the item `i` and the object's owner, if there is one, `u`. */
function objectsWithItems(
  tx: Queries,
  { subscriptions, purchases }: Record<'subscriptions' | 'purchases', Prisma.Sql>,
): Promise<ObjectKey[]> {
  return tx.$queryRaw<ObjectKey[]>`
    SELECT DISTINCT 'subscription' AS kind, s.id
    FROM public.subscription_items i JOIN public.subscriptions s ON s.id = i.subscription_id LEFT JOIN public.users u ON u.id = s.user_ref
    WHERE ${subscriptions}
    UNION
    SELECT 'purchase', p.id
    FROM public.purchase_items i JOIN public.purchases p ON p.id = i.purchase_id LEFT JOIN public.users u ON u.id = p.user_ref
    WHERE ${purchases}`;
}

type NewPrice = { projectId: string; priceId: string; stripePriceId: string };

/**
 * Decides what a Stripe price is in: features come from the catalog at each read, so only those objects are concerned
 * that have no owner in the price's project, or name the price by our id.
 */
export async function releaseForPrice(
  tx: Queries,
  { projectId, priceId, stripePriceId }: NewPrice,
): Promise<PendingInvalidation[]> {
  const isElsewhere = Prisma.sql`u.project_id IS DISTINCT FROM ${projectId}`;
  const objects = await objectsWithItems(tx, {
    subscriptions: Prisma.sql`i.stripe_price_id = ${stripePriceId} AND ${isElsewhere}`,
    purchases: Prisma.sql`i.stripe_price_id IN (${stripePriceId}, ${priceId})
      AND (${isElsewhere} OR i.stripe_price_id <> ${stripePriceId})`,
  });
  const names = [stripePriceId, priceId];
  const { pending } = await releaseAll(tx, { objects, names, areMapped: true, cause: 'catalog' });
  return pending;
}

/** At most so many prices are looked up as what events may wait for by one statement. */
const namesAtOnce = 1_000;

/**
 * The same for all prices of a Stripe product that are not mapped by themselves: also those of which each was made for one
 * checkout.
 */
export async function releaseForStripeProduct(
  tx: Queries,
  { projectId, stripeProductId }: { projectId: string; stripeProductId: string },
): Promise<PendingInvalidation[]> {
  const isConcerned = Prisma.sql`
    i.stripe_product_id = ${stripeProductId} AND u.project_id IS DISTINCT FROM ${projectId}`;
  const objects = await objectsWithItems(tx, { subscriptions: isConcerned, purchases: isConcerned });
  const prices = await tx.$queryRaw<{ id: string }[]>`
    SELECT sold.id FROM (
      SELECT stripe_price_id AS id FROM public.subscription_items WHERE stripe_product_id = ${stripeProductId}
      UNION SELECT stripe_price_id FROM public.purchase_items WHERE stripe_product_id = ${stripeProductId}) sold
    WHERE NOT EXISTS (SELECT FROM public.prices p WHERE p.stripe_price_id = sold.id)`;
  const names = prices.map(({ id }) => id);
  const pending: PendingInvalidation[] = [];
  for (let from = 0; from === 0 || from < names.length; from += namesAtOnce) {
    const some = names.slice(from, from + namesAtOnce);
    const released = await releaseAll(tx, {
      objects: from === 0 ? objects : [],
      names: some,
      areMapped: true,
      cause: 'catalog',
    });
    pending.push(...released.pending);
  }
  return pending;
}

/** Decides the objects that name a project, now that it exists. */
export async function releaseForProject(tx: Queries, projectId: string): Promise<PendingInvalidation[]> {
  const objects = await tx.$queryRaw<ObjectKey[]>`
    SELECT 'subscription' AS kind, id FROM public.subscriptions
    WHERE user_ref IS NULL AND claimed_project_id = ${projectId} AND claimed_user_id IS NOT NULL
    UNION ALL
    SELECT 'purchase', id FROM public.purchases
    WHERE user_ref IS NULL AND claimed_project_id = ${projectId} AND claimed_user_id IS NOT NULL`;
  const names = [projectId];
  const { pending } = await releaseAll(tx, { objects, names, areMapped: true, cause: 'catalog' });
  return pending;
}

/** Few enough that one statement holds up no worker. */
const objectsAtOnce = 200;

async function releaseAll(tx: Queries, { objects, names, areMapped, cause }: Release): Promise<Released> {
  const waiting = await findWaiting(tx, names);
  const all = [
    ...objects,
    ...(await findObjectsNamed(
      tx,
      waiting.flatMap(({ objectId }) => objectId ?? []),
    )),
  ];
  const unique = [...new Map(all.map((key) => [keyOf(key), key])).values()];
  const released: Released = { subscriptions: 0, purchases: 0, events: 0, pending: [] };
  const decided: DecidedAgain[] = [];
  for (let from = 0; from < unique.length; from += objectsAtOnce) {
    const some = await decideAgain(tx, unique.slice(from, from + objectsAtOnce), cause);
    decided.push(...some.decided);
    released.pending.push(...some.pending);
  }
  noteUsers(tx, released.pending);
  for (const { kind, plan } of decided) if (plan.isChanged) released[`${kind}s`] += 1;
  const customers = decided.flatMap(({ customerId, plan }) => (plan.isChanged ? (customerId ?? []) : []));
  const others = await findWaiting(tx, [...names, ...customers]);
  return { ...released, events: await updateWaiting(tx, { decided, others, areMapped }) };
}
