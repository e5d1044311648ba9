import { isOurTurn } from '../erasure/take-turn.ts';
import { tellsChanges } from '../webhooks/mark-users.ts';
import { after, where } from './write-shape.ts';
import type { Parts, WriteShape } from './write-shape.ts';

/** `NO KEY`: a row that was just made to point at a user must not block those who do the same. */
export function userParts({ isLone, hasBumps, hasNewUsers }: WriteShape): Parts {
  return {
    version_bumps:
      hasBumps &&
      !isLone &&
      `SELECT x.* FROM json_to_recordset($bumps::json) AS x(object_key text, user_ref bigint) WHERE ${isOurTurn}`,
    locked_users:
      hasBumps &&
      (isLone
        ? `SELECT id FROM public.users WHERE id = $user_ref::bigint AND ${isOurTurn} FOR NO KEY UPDATE`
        : `
    SELECT found.* FROM (SELECT DISTINCT user_ref FROM version_bumps ORDER BY user_ref) asked
      -- One by one: a list that was planned for few users would read all of them when there are many.
      CROSS JOIN LATERAL (SELECT id FROM public.users WHERE id = asked.user_ref FOR NO KEY UPDATE) found`),
    // Users whom an object names for the first time.
    created_users:
      hasNewUsers &&
      `
    INSERT INTO public.users (project_id, user_id, version)
    SELECT x.project_id, x.user_id, 1
    FROM json_to_recordset($new_users::json) AS x(project_id text, user_id text)
    ${where(isOurTurn, hasBumps && after('locked_users'))}
    ORDER BY x.project_id COLLATE "C", x.user_id COLLATE "C"
    -- Whoever created the user in between wins: the object is not written, and is decided again.
    ON CONFLICT DO NOTHING
    RETURNING id, project_id, user_id, version`,
  };
}

/** Owners of objects in further projects. A row without a project names an object whose other owners go. */
export const readOwners = ({ hasNewUsers }: WriteShape): string => `
    SELECT x.*, ${hasNewUsers ? 'coalesce(x.user_ref, created_users.id)' : 'x.user_ref'} AS owner_ref
    FROM json_to_recordset($owners::json)
      AS x(object_key text, object_id text, project_id text, user_id text, user_ref bigint, source text)
    ${hasNewUsers ? 'LEFT JOIN created_users ON created_users.project_id = x.project_id AND created_users.user_id = x.user_id' : ''}`;

export const ownerParts: Parts = {
  deleted_owners: `
    DELETE FROM public.object_owners AS stored
    WHERE stored.object_id = ANY(ARRAY(SELECT object_id FROM incoming_owners JOIN written_objects USING (object_key)))
      AND stored.source <> 'assignment'
      AND NOT EXISTS (SELECT FROM incoming_owners AS kept
        WHERE kept.object_id = stored.object_id AND kept.project_id = stored.project_id)`,
  written_owners: `
    INSERT INTO public.object_owners AS stored (object_id, project_id, user_ref, source)
    SELECT object_id, project_id, owner_ref, source FROM incoming_owners JOIN written_objects USING (object_key)
    WHERE project_id IS NOT NULL
    ORDER BY object_id COLLATE "C", project_id COLLATE "C"
    ON CONFLICT (object_id, project_id) DO UPDATE SET user_ref = excluded.user_ref, source = excluded.source
    WHERE stored.source <> 'assignment'`,
};

export const keysOfWritten = ({ hasSubscriptions, hasPurchases }: WriteShape): string => {
  const written = [
    ...(hasSubscriptions ? [`SELECT 'subscription:' || id AS object_key FROM written_subscriptions`] : []),
    ...(hasPurchases ? [`SELECT 'purchase:' || id AS object_key FROM written_purchases`] : []),
  ];
  return written.length === 0 ? `SELECT NULL::text AS object_key WHERE false` : written.join(' UNION ALL ');
};

/** Versions of the users whose objects were written, and the invalidations of what the cache has of them. */
export function versionParts({ isLone, hasBumps, hasNewUsers }: WriteShape): Parts {
  const ofWritten = isLone
    ? 'id = $user_ref::bigint AND EXISTS (SELECT FROM written_objects)'
    : 'id = ANY(ARRAY(SELECT user_ref FROM version_bumps JOIN written_objects USING (object_key)))';
  const bumped = [...(hasBumps ? ['bumped_users'] : []), ...(hasNewUsers ? ['created_users'] : [])];
  return {
    bumped_users:
      hasBumps &&
      `
    UPDATE public.users SET version = version + 1 WHERE ${ofWritten}
    RETURNING id, project_id, user_id, version`,
    marked_users: bumped.length > 0 && marked(isLone, bumped),
    pending_invalidations:
      bumped.length > 0 &&
      `
    INSERT INTO public.cache_invalidations (project_id, user_id, version)
    ${bumped.map((cte) => `SELECT project_id, user_id, version FROM ${cte}`).join(' UNION ALL ')}
    RETURNING id, project_id, user_id, version`,
  };
}

/**
 * Marks of the users whose versions grow, where their project tells changes: one for each event of the object that was
 * written. A lone event asks its user's project, and nothing else where it tells none.
 */
function marked(isLone: boolean, bumped: readonly string[]): string {
  const users = bumped.map((cte) => `SELECT id, project_id, user_id FROM ${cte}`).join(' UNION ALL ');
  const marks = isLone
    ? `SELECT b.project_id, b.user_id, $cause::text, $is_paced::boolean FROM (${users}) b WHERE ${tellsChanges}`
    : `
    SELECT DISTINCT b.project_id, b.user_id, m.cause, $is_paced::boolean
    FROM (SELECT * FROM (${users}) b WHERE ${tellsChanges} OFFSET 0) b
      JOIN json_to_recordset($marks::json)
        AS m(object_key text, user_ref bigint, project_id text, user_id text, cause text)
        ON m.user_ref = b.id OR (m.project_id = b.project_id AND m.user_id = b.user_id)
      JOIN written_objects USING (object_key)`;
  return `INSERT INTO public.webhook_marks (project_id, user_id, cause, is_paced) ${marks}`;
}
