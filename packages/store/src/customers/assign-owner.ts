import { bumpUsers } from '../change-user.ts';
import type { PendingInvalidation, UserKey } from '../change-user.ts';
import type { Queries } from '../create-database.ts';
import { Prisma } from '../generated/client.ts';

/** The user that a stored object shall belong to. */
export type OwnerAssignment = UserKey & { kind: 'subscription' | 'purchase'; objectId: string };

/** How many objects got another owner. */
export type Assigned = { subscriptions: number; purchases: number; pending: PendingInvalidation[] };

const assignmentsOf = (json: string): Prisma.Sql => Prisma.sql`
  jsonb_to_recordset(${json}::jsonb)
    AS t (kind text, object_id text COLLATE "C", project_id text COLLATE "C", user_id text COLLATE "C")`;

/**
 * Gives stored objects to users, who are created if need be: locks every user concerned in the order of their
 * references (as the worker does), sets the owner, gives the object a new row version, so that a writer who read it
 * before decides again, and bumps the users who got or lost one. Objects that are theirs already stay untouched.
 */
export async function assignOwner(tx: Queries, assignments: readonly OwnerAssignment[]): Promise<Assigned> {
  if (assignments.length === 0) return { subscriptions: 0, purchases: 0, pending: [] };
  const json = JSON.stringify(
    assignments.map(({ kind, objectId, projectId, userId }) => ({
      kind,
      object_id: objectId,
      project_id: projectId,
      user_id: userId,
    })),
  );
  await tx.$executeRaw`
    INSERT INTO public.users (project_id, user_id)
    SELECT DISTINCT project_id, user_id FROM ${assignmentsOf(json)}
    ORDER BY 1, 2
    ON CONFLICT (project_id, user_id) DO NOTHING`;
  await lockUsersConcerned(tx, json);
  const subscriptions = await setOwners(tx, json, { kind: 'subscription', table: 'subscriptions' });
  const purchases = await setOwners(tx, json, { kind: 'purchase', table: 'purchases' });
  const userRefs = new Set([...subscriptions, ...purchases].flatMap(({ before, after }) => [before, after]));
  return {
    subscriptions: subscriptions.length,
    purchases: purchases.length,
    pending: await bumpUsers(
      tx,
      [...userRefs].filter((ref) => ref !== null),
    ),
  };
}

/** `NO KEY`: a row that was just made to point at a user must not block those who do the same. */
async function lockUsersConcerned(tx: Queries, json: string): Promise<void> {
  await tx.$queryRaw`
    WITH target AS (SELECT * FROM ${assignmentsOf(json)})
    SELECT 1 FROM public.users
    WHERE id IN (
      SELECT u.id FROM target t JOIN public.users u ON u.project_id = t.project_id AND u.user_id = t.user_id
      UNION SELECT s.user_ref FROM target t JOIN public.subscriptions s ON s.id = t.object_id WHERE t.kind = 'subscription'
      UNION SELECT p.user_ref FROM target t JOIN public.purchases p ON p.id = t.object_id WHERE t.kind = 'purchase'
    )
    ORDER BY id FOR NO KEY UPDATE`;
}

type OwnerChange = { before: bigint | null; after: bigint };

function setOwners(
  tx: Queries,
  json: string,
  { kind, table }: { kind: OwnerAssignment['kind']; table: string },
): Promise<OwnerChange[]> {
  const objects = Prisma.raw(`public.${table}`);
  return tx.$queryRaw<OwnerChange[]>`
    WITH change AS (
      SELECT o.id, o.user_ref AS before, u.id AS after
      FROM ${assignmentsOf(json)}
      JOIN ${objects} o ON o.id = t.object_id
      JOIN public.users u ON u.project_id = t.project_id AND u.user_id = t.user_id
      WHERE t.kind = ${kind} AND o.user_ref IS DISTINCT FROM u.id
      ORDER BY o.id FOR UPDATE OF o
    )
    UPDATE ${objects} o SET user_ref = change.after, fence = o.fence + 1, updated_at = now()
    FROM change WHERE o.id = change.id
    RETURNING change.before, change.after`;
}
