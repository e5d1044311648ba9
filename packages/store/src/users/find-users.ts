import type { FindUsersQuery, OwnerSource, UserMatch } from '@billing/domain';
import { writeAudit } from '../audit.ts';
import type { Actor } from '../audit.ts';
import type { Database, Queries } from '../create-database.ts';
import { ownerSourceSql } from '../customers/owner-source.ts';
import { Prisma } from '../generated/client.ts';
import { payloadOf } from '../event-payloads/payload-sql.ts';
import type { ErasureKeys } from '../erasure/erasure-keys.ts';
import { findErasedUsers } from '../erasure/find-erased.ts';

export type FoundUser = {
  projectId: string | null;
  userId: string | null;
  keyId: string | null;
  matched: UserMatch;
  matchedId: string;
  /** Of a customer or an object that somebody owns. */
  ownerSource: OwnerSource | null;
};

const mostFound = 100;

/** The owners of the row of objects under this alias, as `users`; one that is nobody's has a row of nulls. */
const ownersOf = (alias: 's' | 'p'): Prisma.Sql => {
  const object = Prisma.raw(alias);
  return Prisma.sql`CROSS JOIN LATERAL (
        SELECT ${object}.user_ref AS ref
        UNION SELECT o.user_ref FROM public.object_owners o WHERE o.object_id = ${object}.id) owner
      LEFT JOIN public.users ON users.id = owner.ref`;
};
const ownerSourceIn = (alias: 's' | 'p'): Prisma.Sql =>
  Prisma.sql`CASE WHEN users.id IS NOT NULL THEN ${ownerSourceSql(alias)} END`;

/** What a Stripe id leads to: objects by their own ids and by their invoice, customer or event. */
const find = (tx: Queries, { query, project_id: projectId }: FindUsersQuery): Promise<FoundUser[]> =>
  tx.$queryRaw<FoundUser[]>`
    WITH event AS MATERIALIZED (
      SELECT event_id, object_id, customer_id, ${payloadOf('e')} #> '{data,object}' AS object
      FROM (
        SELECT * FROM public.stripe_events WHERE event_id = ${query}
        UNION
        (SELECT * FROM public.stripe_events WHERE object_id = ${query} ORDER BY created DESC LIMIT 10)) e),
    named AS MATERIALIZED (
      SELECT CASE WHEN event_id = ${query} THEN 'event' ELSE NULL END AS matched, unnest(ARRAY[object_id,
        coalesce(object #>> '{subscription,id}', object ->> 'subscription'),
        object #>> '{parent,subscription_details,subscription}',
        coalesce(object #>> '{payment_intent,id}', object ->> 'payment_intent')]) AS id FROM event),
    found_subscription AS MATERIALIZED (
      SELECT 'subscription' AS matched, id FROM public.subscriptions WHERE id = ${query}
      UNION SELECT 'customer', id FROM public.subscriptions WHERE stripe_customer_id = ${query}
      UNION SELECT 'invoice', id FROM public.subscriptions WHERE coalesce(period_invoice_id, latest_invoice_id) = ${query}
      UNION SELECT coalesce(named.matched, 'invoice'), s.id FROM named JOIN public.subscriptions s ON s.id = named.id
      WHERE s.id <> ${query}),
    found_purchase AS MATERIALIZED (
      SELECT 'payment' AS matched, id FROM public.purchases
      WHERE id = ${query} OR session_id = ${query} OR charge_id = ${query}
      UNION SELECT 'customer', id FROM public.purchases WHERE stripe_customer_id = ${query} AND invoice_id IS NULL
      UNION SELECT 'invoice', id FROM public.purchases WHERE invoice_id = ${query} OR receipt_invoice_id = ${query}
      UNION SELECT coalesce(named.matched, 'payment'), p.id FROM named
      JOIN public.purchases p ON p.id = named.id OR p.session_id = named.id OR p.charge_id = named.id
      WHERE named.matched = 'event'),
    object AS (
      SELECT f.matched, f.id, owner.ref AS user_ref, ${ownerSourceIn('s')} AS owner_source
      FROM found_subscription f JOIN public.subscriptions s ON s.id = f.id ${ownersOf('s')}
      UNION
      SELECT f.matched, f.id, owner.ref, ${ownerSourceIn('p')}
      FROM found_purchase f JOIN public.purchases p ON p.id = f.id ${ownersOf('p')}),
    customer AS (
      SELECT CASE WHEN id = ${query} THEN 'customer' ELSE 'event' END AS matched, id FROM (
        SELECT ${query}::text AS id UNION SELECT customer_id FROM event WHERE event_id = ${query}) one
      WHERE id IS NOT NULL),
    mapped AS (
      SELECT k.matched, c.stripe_customer_id AS id, c.user_ref, 'mapping' AS owner_source FROM customer k
      JOIN public.customers c ON c.stripe_customer_id = k.id
      UNION SELECT k.matched, c.stripe_customer_id, c.user_ref, 'mapping' FROM customer k
      JOIN public.customer_users c ON c.stripe_customer_id = k.id),
    found AS (
      SELECT p.id AS project_id, u.user_id, NULL AS key_id, 'user_id' AS matched, u.user_id AS matched_id,
        NULL AS owner_source
      FROM public.projects p JOIN public.users u ON u.project_id = p.id AND u.user_id = ${query}
      UNION
      SELECT u.project_id, u.user_id, NULL, one.matched, one.id,
        CASE WHEN u.id IS NOT NULL THEN one.owner_source END
      FROM (SELECT * FROM object UNION SELECT * FROM mapped) one LEFT JOIN public.users u ON u.id = one.user_ref
      UNION
      SELECT project_id, NULL, id, 'api_key', prefix, NULL FROM public.api_keys WHERE prefix = ${query})
    SELECT project_id AS "projectId", user_id AS "userId", key_id AS "keyId", matched, matched_id AS "matchedId",
      owner_source AS "ownerSource"
    FROM found WHERE ${projectId ?? null}::text IS NULL OR project_id = ${projectId ?? null}
    ORDER BY matched, matched_id, project_id, user_id LIMIT ${mostFound}`;

/** Whether the id is one of a user who was erased, in the project or in any. */
async function isErased(
  tx: Queries,
  { query: userId, project_id: projectId }: FindUsersQuery,
  keys: ErasureKeys,
): Promise<boolean> {
  const projects = await tx.$queryRaw<{ projectId: string }[]>`
    SELECT p.id AS "projectId" FROM public.projects p
    WHERE (${projectId ?? null}::text IS NULL OR p.id = ${projectId ?? null})
      AND EXISTS (SELECT FROM public.erased_users e WHERE e.project_id = p.id)`;
  const users = projects.map((one) => ({ ...one, userId }));
  return (await findErasedUsers(tx, keys, users)).size > 0;
}

/** `reader`: where it is searched, default where it is audited. */
type By = { actor: Actor; erasureKeys: ErasureKeys; reader?: Database };

/**
 * The users that an id leads to, and what matched; at most 100. Audited: who looked, and for what, unless that is the id of
 * somebody who was erased and did not come back. Throws ErasureKeyMissing where that cannot be told.
 */
export async function findUsers(
  database: Database,
  query: FindUsersQuery,
  { actor, erasureKeys, reader = database }: By,
): Promise<FoundUser[]> {
  const { found, isForgotten } = await reader.$transaction(async (tx) => {
    const rows = await find(tx, query);
    return { found: rows, isForgotten: rows.length === 0 && (await isErased(tx, query, erasureKeys)) };
  });
  await database.$transaction((tx) =>
    writeAudit(tx, {
      actor,
      action: 'user.find',
      projectId: query.project_id ?? null,
      target: { type: 'user', id: isForgotten ? 'erased' : query.query },
    }),
  );
  return found;
}
