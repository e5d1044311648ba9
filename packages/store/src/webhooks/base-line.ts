import { toldText } from '@billing/domain';
import type { Instant } from '@billing/domain';
import type { Database } from '../create-database.ts';
import { deriveState } from '../derive-answer.ts';
import { Prisma } from '../generated/client.ts';
import { readSources } from '../read-sources.ts';
import { sqlTemplate } from '../sql-template.ts';
import type { EmitContext } from './emit-users.ts';
import { finishFanOut, nextUsers } from './fan-outs.ts';
import { stateColumns, stateRecord, stateUpdates, stateValues, toStateRow } from './write-messages.ts';

/** A base line that is under way. */
export type BaseLine = {
  id: number;
  projectId: string;
  afterUser: string;
  isReady: boolean;
  /** When its beginning was seen, after the commit that made it, or a little earlier; by this process's clock. */
  seenAt: Instant;
};

/** Those of all projects, or that of one; the one that began first goes first. */
export async function findBaseLines(
  database: Pick<Database, '$queryJson'>,
  { projectId, now }: { projectId: string | null; now: Instant },
): Promise<BaseLine[]> {
  // Processes' clocks differ, and so does Postgres's: it says for how long.
  const found = await database.$queryJson<(BaseLine & { seenAgoMs: number | null })[]>(Prisma.sql`
    SELECT coalesce(json_agg(one ORDER BY one.id), '[]') FROM (
      SELECT id, project_id AS "projectId", after_user AS "afterUser", is_ready AS "isReady",
        (extract(epoch FROM clock_timestamp() - seen_at) * 1000)::bigint AS "seenAgoMs"
      FROM public.webhook_fan_outs
      WHERE kind = 'base_line' AND (${projectId}::text IS NULL OR project_id = ${projectId})) one`);
  return found.map(({ seenAgoMs, ...one }) => ({ ...one, seenAt: now - (seenAgoMs ?? 0) }));
}

/**
 * Whether a base line may be read: every transaction that began before its beginning was seen has ended, so that all who change
 * a user's version from then on mark the user. `xact_start` also counts those that have written nothing yet, of sessions whose
 * role may be looked at; those of other roles count by what they have written.
 */
export async function prepareBaseLine(database: Pick<Database, '$executeRaw'>, id: number): Promise<boolean> {
  await database.$executeRaw`
    UPDATE public.webhook_fan_outs SET seen_at = clock_timestamp(),
      seen_from = pg_snapshot_xmax(pg_current_snapshot())::text::bigint
    WHERE id = ${id} AND seen_at IS NULL`;
  const ready = await database.$executeRaw`
    UPDATE public.webhook_fan_outs SET is_ready = true, last_user = (SELECT coalesce(max(u.id), 0) FROM public.users u)
    WHERE id = ${id} AND (is_ready OR (seen_from <= pg_snapshot_xmin(pg_current_snapshot())::text::bigint
      AND NOT EXISTS (SELECT FROM pg_stat_activity a
        WHERE a.datname = current_database() AND a.backend_type = 'client backend' AND a.pid <> pg_backend_pid()
          AND a.xact_start <= seen_at)))`;
  return ready > 0;
}

const usersAtOnce = 100;

const insertStates = sqlTemplate(`
  WITH states AS (
    INSERT INTO public.webhook_states AS s (${stateColumns})
    SELECT ${stateValues} FROM json_to_recordset($states::json) AS n (${stateRecord})
      -- A user who is being erased is left out.
      CROSS JOIN LATERAL (SELECT 1 FROM public.users u WHERE u.id = n.ref FOR KEY SHARE) there
    WHERE EXISTS (SELECT FROM public.projects p WHERE p.id = $project_id AND p.base_line = $base_line::bigint)
      -- What has changed since the telling began is to be told.
      AND NOT EXISTS (SELECT FROM public.webhook_marks m
        WHERE m.project_id = $project_id AND m.user_id = n.user_id AND m.crossing IS NULL)
    ON CONFLICT (project_id, user_id) DO UPDATE SET ${stateUpdates} WHERE s.base_line < excluded.base_line
    RETURNING user_id)
  SELECT json_build_object('written', (SELECT coalesce(json_agg(user_id), '[]') FROM states))`);

type Page = { projectId: string; userIds: readonly string[]; baseLine: number; seenAt: Instant };

/**
 * Stores what users of a project have, without telling it. Returns those of whom something is to be told: they have changed
 * since the telling began, by a change or by time. What is stored and equal is left.
 */
async function readPage(
  database: Pick<Database, '$queryJson' | '$transactJson'>,
  { settings, now }: EmitContext,
  { projectId, userIds, baseLine, seenAt }: Page,
): Promise<string[]> {
  const sources = await readSources(database, projectId, userIds);
  const asOf = now();
  const rows = [...sources.values()].flatMap((read) => {
    if (read.userRef === null) return [];
    const { state } = deriveState(read, settings, { projectId, asOf });
    const before = deriveState(read, settings, { projectId, asOf: seenAt }).state;
    const hasMoved = toldText(before.list) !== toldText(state.list);
    return [{ row: toStateRow({ ref: read.userRef, userId: read.userId, state }), hasMoved }];
  });
  const still = rows.flatMap(({ row, hasMoved }) => (hasMoved ? [] : row));
  const { written } = await database.$transactJson((query) =>
    query<{ written: string[] }>(
      insertStates({ project_id: projectId, base_line: baseLine, states: JSON.stringify(still) }),
    ),
  );
  const done = new Set(written);
  return rows.flatMap(({ row }) => (done.has(row.user_id) ? [] : row.user_id));
}

/** What a step of a base line has come to. */
export type BaseLineStep = {
  /** Those of whom something may have to be told, before the base line goes on (`advanceBaseLine`). */
  left: string[];
  /** Null: all users were read. */
  to: string | null;
  users: number;
};

/** Reads the next users of a base line that is ready. */
export async function readBaseLinePage(
  database: Pick<Database, '$queryJson' | '$transactJson'>,
  context: EmitContext,
  { id, projectId, afterUser, seenAt }: BaseLine,
): Promise<BaseLineStep> {
  const of = { projectId, afterUser, lastUser: Number.MAX_SAFE_INTEGER };
  const userIds = await nextUsers(database, of, usersAtOnce);
  const last = userIds.at(-1);
  if (last === undefined) return { left: [], to: null, users: 0 };
  const left = await readPage(database, context, { projectId, userIds, baseLine: id, seenAt });
  return { left, to: last, users: userIds.length };
}

/** Notes that the users up to there are done; at the end of them the base line, and its run. */
export async function advanceBaseLine(
  database: Pick<Database, '$executeRaw'>,
  { id, afterUser }: BaseLine,
  { to, users }: Pick<BaseLineStep, 'to' | 'users'>,
): Promise<void> {
  if (to === null) return finishFanOut(database, id);
  await database.$executeRaw`
    WITH moved AS (
      UPDATE public.webhook_fan_outs SET after_user = ${to}, position = position + ${users}
      WHERE id = ${id} AND after_user = ${afterUser} RETURNING run_id, position)
    UPDATE public.runs SET state = jsonb_build_object('phase', 'users', 'objects', moved.position),
      progress_at = clock_timestamp(), started_at = coalesce(started_at, clock_timestamp())
    FROM moved WHERE runs.id = moved.run_id AND runs.status = 'running'`;
}

/** How many users a project has, counted up to a limit. */
export const countUsers = (
  database: Pick<Database, '$queryJson'>,
  { projectId, upTo }: { projectId: string; upTo: number },
): Promise<number> =>
  database.$queryJson<number>(Prisma.sql`
    SELECT to_json(count(*)) FROM (SELECT FROM public.users WHERE project_id = ${projectId} LIMIT ${upTo}) one`);
