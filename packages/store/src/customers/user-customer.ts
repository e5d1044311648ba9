import type { Instant } from '@billing/domain';
import type { UserKey } from '../change-user.ts';
import type { Database } from '../create-database.ts';
import { Prisma } from '../generated/client.ts';
import { otherObjects, ownerSourceSql } from './owner-source.ts';

export type UserCustomer = {
  userRef: bigint;
  /** The mapped customer to bill, which is not deleted: one with a live subscription, else the newest. */
  stripeCustomerId: string | null;
  /**
   * Part of Stripe's idempotency key: changes when the last customer is gone or could not be created, and tells
   * this row from one of the same user in an earlier database.
   */
  generation: string;
};

/** `UserCustomer.generation` of the row `u` of `users`. */
export const customerGeneration = Prisma.sql`
  u.customer_attempt || '.' || (SELECT count(*) FROM public.customers c WHERE c.user_ref = u.id AND c.deleted_at IS NOT NULL)
    || '.' || extract(epoch FROM u.created_at)`;

/** Of the subscription `s`: it may still be charged. */
export const isLive = Prisma.sql`coalesce(s.status, 'incomplete') NOT IN ('incomplete', 'incomplete_expired', 'canceled')`;

/** The id of the customer to bill for the row `u` of `users`; null: none is mapped. */
export const billedCustomer = Prisma.sql`
  (SELECT mapped.id FROM (
      SELECT c.stripe_customer_id AS id, c.created_at FROM public.customers c
      WHERE c.user_ref = u.id AND c.deleted_at IS NULL
      UNION ALL
      SELECT c.stripe_customer_id, further.created_at
      FROM public.customer_users further JOIN public.customers c ON c.stripe_customer_id = further.stripe_customer_id
      WHERE further.user_ref = u.id AND c.deleted_at IS NULL) mapped
    ORDER BY EXISTS (SELECT FROM public.subscriptions s WHERE s.stripe_customer_id = mapped.id AND ${isLive}) DESC,
      mapped.created_at DESC, mapped.id DESC
    LIMIT 1)`;

/** The user's row, created if need be, with the Stripe customer to bill. Changes no version, as it gives the user nothing. */
export async function findOrCreateUser(database: Database, user: UserKey): Promise<UserCustomer> {
  return (await readUserCustomer(database, user)) ?? createUser(database, user);
}

/** Creates the row of a user who had none a moment ago. */
export async function createUser(database: Database, { projectId, userId }: UserKey): Promise<UserCustomer> {
  const created = await queryUserCustomer(
    database,
    Prisma.sql`
    WITH made AS (
      INSERT INTO public.users AS u (project_id, user_id) VALUES (${projectId}, ${userId})
      ON CONFLICT (project_id, user_id) DO NOTHING
      RETURNING u.id::text AS "userRef", NULL::text AS "stripeCustomerId", ${customerGeneration} AS generation)
    SELECT coalesce(json_agg(made), '[]') FROM made`,
  );
  // Another request was first.
  const user = created ?? (await readUserCustomer(database, { projectId, userId }));
  if (user === null) throw new Error('a user that was just created is not there');
  return user;
}

const readUserCustomer = (database: Database, { projectId, userId }: UserKey): Promise<UserCustomer | null> =>
  queryUserCustomer(
    database,
    Prisma.sql`
    SELECT coalesce(json_agg(found), '[]') FROM (
      SELECT u.id::text AS "userRef", ${billedCustomer} AS "stripeCustomerId", ${customerGeneration} AS generation
      FROM public.users u WHERE u.project_id = ${projectId} AND u.user_id = ${userId}) found`,
  );

async function queryUserCustomer(database: Database, statement: Prisma.Sql): Promise<UserCustomer | null> {
  type Row = Omit<UserCustomer, 'userRef'> & { userRef: string };
  const [row] = await database.$queryJson<Row[]>(statement);
  return row === undefined ? null : { ...row, userRef: BigInt(row.userRef) };
}

/**
 * Maps a customer that checkout created; returns the one to use, should another request have been first. A user who was erased
 * meanwhile has no row to map it to.
 */
export async function keepCheckoutCustomer(
  database: Database,
  { userRef, stripeCustomerId }: { userRef: bigint; stripeCustomerId: string },
): Promise<string> {
  const [kept] = await database.$queryJson<string[]>(Prisma.sql`
    WITH mapped AS (
      INSERT INTO public.customers (stripe_customer_id, user_ref, source)
      SELECT ${stripeCustomerId}, u.id, 'checkout' FROM public.users u WHERE u.id = ${userRef} FOR KEY SHARE
      ON CONFLICT DO NOTHING RETURNING stripe_customer_id AS id, created_at)
    SELECT coalesce(json_agg(id ORDER BY created_at DESC, id DESC), '[]') FROM (
      SELECT id, created_at FROM mapped
      UNION ALL
      SELECT stripe_customer_id, created_at FROM public.customers WHERE user_ref = ${userRef} AND deleted_at IS NULL) one`);
  return kept ?? stripeCustomerId;
}

/** Lets the next try to create a customer use a new idempotency key; many requests that saw one failure count once. */
export async function giveUpCustomerAttempt(
  database: Database,
  { userRef, generation }: Pick<UserCustomer, 'userRef' | 'generation'>,
): Promise<void> {
  const attempt = Number(generation.split('.')[0]);
  await database.$executeRaw`
    UPDATE public.users SET customer_attempt = customer_attempt + 1 WHERE id = ${userRef} AND customer_attempt = ${attempt}`;
}

/** Leaves a tombstone where Stripe says that a customer was deleted. */
export async function markCustomerDeleted(
  database: Database,
  { stripeCustomerId, now }: { stripeCustomerId: string; now: Instant },
): Promise<void> {
  await database.customer.updateMany({
    where: { stripeCustomerId, deletedAt: null },
    data: { deletedAt: new Date(now) },
  });
}

/**
 * The Stripe customer for the user's portal: one with a live subscription of the user's, the newest; else the one that is
 * billed; else the one of the user's newest subscription or purchase. What is the user's only by a buyer's hint leads to no
 * customer: whoever typed the user's id would open its cards and invoices to the user. Null: the user has none.
 */
export async function findPortalCustomer(
  database: Database,
  { projectId, userId }: UserKey,
): Promise<string | null> {
  const rows = await database.$queryRaw<{ id: string }[]>`
    WITH u AS MATERIALIZED (SELECT * FROM public.users WHERE project_id = ${projectId} AND user_id = ${userId}),
    candidate AS (
      SELECT CASE WHEN ${isLive} THEN 0 ELSE 2 END AS rank, s.stripe_customer_id AS id, s.created_at
      FROM u users JOIN public.subscriptions s ON s.user_ref = users.id OR s.id = ANY(${otherObjects})
      WHERE ${ownerSourceSql('s')} <> 'buyer_hint'
      UNION ALL
      SELECT 1, ${billedCustomer}, u.created_at FROM u
      UNION ALL
      SELECT 2, p.stripe_customer_id, p.created_at
      FROM u users JOIN public.purchases p ON p.user_ref = users.id OR p.id = ANY(${otherObjects})
      WHERE ${ownerSourceSql('p')} <> 'buyer_hint'
    )
    SELECT id FROM candidate k
    WHERE id IS NOT NULL
      AND NOT EXISTS (SELECT 1 FROM public.customers c WHERE c.stripe_customer_id = k.id AND c.deleted_at IS NOT NULL)
    ORDER BY rank, created_at DESC, id DESC LIMIT 1`;
  return rows[0]?.id ?? null;
}

/** A subscription of a user's, with the Stripe customer that holds it. */
export type PortalSubscription = { id: string; customerId: string | null; isLive: boolean };

/** The subscriptions of a user, without those that are the user's only by a buyer's hint. */
export async function findPortalSubscriptions(
  database: Database,
  { projectId, userId }: UserKey,
): Promise<PortalSubscription[]> {
  return database.$queryRaw<PortalSubscription[]>`
    SELECT s.id, s.stripe_customer_id AS "customerId", ${isLive} AS "isLive"
    FROM public.users JOIN public.subscriptions s ON s.user_ref = users.id OR s.id = ANY(${otherObjects})
    WHERE users.project_id = ${projectId} AND users.user_id = ${userId} AND ${ownerSourceSql('s')} <> 'buyer_hint'
    ORDER BY s.created_at DESC, s.id`;
}

/** The customers of each user of a project who has several, without those that Stripe deleted. */
export async function findSeveralCustomers(database: Database, projectId: string): Promise<string[][]> {
  const rows = await database.$queryRaw<{ customers: string[] }[]>`
    WITH mapped AS (
      SELECT c.user_ref, c.stripe_customer_id FROM public.users u JOIN public.customers c ON c.user_ref = u.id
      WHERE u.project_id = ${projectId} AND c.deleted_at IS NULL
      UNION
      SELECT f.user_ref, f.stripe_customer_id
      FROM public.customer_users f JOIN public.customers c ON c.stripe_customer_id = f.stripe_customer_id
      WHERE f.project_id = ${projectId} AND c.deleted_at IS NULL)
    SELECT array_agg(stripe_customer_id ORDER BY stripe_customer_id) AS customers
    FROM mapped GROUP BY user_ref HAVING count(*) > 1 ORDER BY user_ref`;
  return rows.map(({ customers }) => customers);
}
