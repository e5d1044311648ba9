import type { PendingInvalidation, UserKey } from '../change-user.ts';
import type { Queries } from '../create-database.ts';

/** A Stripe object that is to be some user's. */
export type Attachment = UserKey & { kind: 'subscription' | 'purchase'; objectId: string };

export type Attached = { subscriptions: number; purchases: number; pending: PendingInvalidation[] };

/**
 * Gives recorded objects to their users: locks every user concerned in the order of their references (as the
 * worker does), sets the owner, lets the object's fence grow, so that a writer who read it before decides
 * anew, and bumps the users who won or lost one. Objects that are theirs already stay untouched.
 */
export async function attachObjects(tx: Queries, attachments: readonly Attachment[]): Promise<Attached> {
  if (attachments.length === 0) return { subscriptions: 0, purchases: 0, pending: [] };
  const targets = JSON.stringify(
    attachments.map(({ kind, objectId, projectId, userId }) => ({
      kind,
      object_id: objectId,
      project_id: projectId,
      user_id: userId,
    })),
  );
  await tx.$executeRaw`
    INSERT INTO users (project_id, user_id)
    SELECT DISTINCT project_id, user_id FROM jsonb_to_recordset(${targets}::jsonb) AS t (project_id text, user_id text)
    ORDER BY 1, 2
    ON CONFLICT (project_id, user_id) DO NOTHING`;
  await lockUsersConcerned(tx, targets);
  const moved = await moveObjects(tx, targets);
  const refs = [
    ...new Set(moved.flatMap(({ before, after }) => (before === null ? [after] : [before, after]))),
  ];
  return {
    subscriptions: moved.filter(({ kind }) => kind === 'subscription').length,
    purchases: moved.filter(({ kind }) => kind === 'purchase').length,
    pending: await bumpUsers(tx, refs),
  };
}

/** `NO KEY`: a row that was just made to point at a user must not block those who do the same. */
async function lockUsersConcerned(tx: Queries, targets: string): Promise<void> {
  await tx.$queryRaw`
    WITH target AS (
      SELECT * FROM jsonb_to_recordset(${targets}::jsonb)
        AS t (kind text, object_id text COLLATE "C", project_id text COLLATE "C", user_id text COLLATE "C")
    )
    SELECT 1 FROM users
    WHERE id IN (
      SELECT u.id FROM target t JOIN users u ON u.project_id = t.project_id AND u.user_id = t.user_id
      UNION SELECT s.user_ref FROM target t JOIN subscriptions s ON s.id = t.object_id WHERE t.kind = 'subscription'
      UNION SELECT p.user_ref FROM target t JOIN purchases p ON p.id = t.object_id WHERE t.kind = 'purchase'
    )
    ORDER BY id FOR NO KEY UPDATE`;
}

type Moved = { kind: 'subscription' | 'purchase'; before: bigint | null; after: bigint };

async function moveObjects(tx: Queries, targets: string): Promise<Moved[]> {
  const subscriptions = await tx.$queryRaw<Moved[]>`
    WITH held AS (
      SELECT s.id, s.user_ref AS before, u.id AS after
      FROM jsonb_to_recordset(${targets}::jsonb)
        AS t (kind text, object_id text COLLATE "C", project_id text COLLATE "C", user_id text COLLATE "C")
      JOIN subscriptions s ON s.id = t.object_id
      JOIN users u ON u.project_id = t.project_id AND u.user_id = t.user_id
      WHERE t.kind = 'subscription' AND s.user_ref IS DISTINCT FROM u.id
      ORDER BY s.id FOR UPDATE OF s
    )
    UPDATE subscriptions s SET user_ref = held.after, fence = s.fence + 1, updated_at = now()
    FROM held WHERE s.id = held.id
    RETURNING 'subscription' AS kind, held.before, held.after`;
  const purchases = await tx.$queryRaw<Moved[]>`
    WITH held AS (
      SELECT p.id, p.user_ref AS before, u.id AS after
      FROM jsonb_to_recordset(${targets}::jsonb)
        AS t (kind text, object_id text COLLATE "C", project_id text COLLATE "C", user_id text COLLATE "C")
      JOIN purchases p ON p.id = t.object_id
      JOIN users u ON u.project_id = t.project_id AND u.user_id = t.user_id
      WHERE t.kind = 'purchase' AND p.user_ref IS DISTINCT FROM u.id
      ORDER BY p.id FOR UPDATE OF p
    )
    UPDATE purchases p SET user_ref = held.after, fence = p.fence + 1, updated_at = now()
    FROM held WHERE p.id = held.id
    RETURNING 'purchase' AS kind, held.before, held.after`;
  return [...subscriptions, ...purchases];
}

async function bumpUsers(tx: Queries, refs: readonly bigint[]): Promise<PendingInvalidation[]> {
  if (refs.length === 0) return [];
  const ids = JSON.stringify(refs.map(String));
  return tx.$queryRaw<PendingInvalidation[]>`
    WITH bumped AS (
      UPDATE users SET version = version + 1
      WHERE id IN (SELECT value::bigint FROM jsonb_array_elements_text(${ids}::jsonb))
      RETURNING project_id, user_id, version
    )
    INSERT INTO cache_invalidations (project_id, user_id, version)
    SELECT project_id, user_id, version FROM bumped
    RETURNING id, project_id AS "projectId", user_id AS "userId", version`;
}
