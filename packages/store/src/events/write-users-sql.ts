import { Prisma } from '../generated/client.ts';
import type { StatementInput } from './outcomes.ts';

/** Locks the users whose versions are to grow, in the order of their ids. */
export const lockUsers = (rows: StatementInput['bumps']): Prisma.Sql => Prisma.sql`
  bumps AS MATERIALIZED (
    SELECT x.* FROM json_to_recordset(${JSON.stringify(rows)}::json) AS x(object_key text, user_ref bigint)),
  locked AS MATERIALIZED (
    SELECT id FROM users WHERE id = ANY(ARRAY(SELECT user_ref FROM bumps)) ORDER BY id FOR UPDATE)`;

/** Users whom an object names for the first time. Whoever made one meanwhile wins: the object is decided again. */
export const makeUsers = (rows: StatementInput['newUsers']): Prisma.Sql => Prisma.sql`
  made AS (
    INSERT INTO users (project_id, user_id, version)
    SELECT x.project_id, x.user_id, 1
    FROM json_to_recordset(${JSON.stringify(rows)}::json) AS x(project_id text, user_id text)
    WHERE (SELECT count(*) FROM locked) >= 0
    ORDER BY x.project_id COLLATE "C", x.user_id COLLATE "C"
    ON CONFLICT DO NOTHING
    RETURNING id, project_id, user_id, version)`;
