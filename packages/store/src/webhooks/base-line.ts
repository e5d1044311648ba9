import { toldText } from '@billing/domain';
import type { Instant, ToldState } from '@billing/domain';
import type { Database } from '../create-database.ts';
import { deriveState } from '../derive-answer.ts';
import type { DerivationSettings } from '../derive-answer.ts';
import { Prisma } from '../generated/client.ts';
import type { QueryJson } from '../query-json.ts';
import { readSources } from '../read-sources.ts';
import type { UserSources } from '../read-sources.ts';
import { sqlTemplate } from '../sql-template.ts';
import type { EmitContext } from './emit-users.ts';
import { finishFanOut, noteProgress } from './fan-outs.ts';
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

/** As many as are read and written by one transaction: it holds up neither the process nor Postgres for long. */
const usersAtOnce = 200;

type Turn = { afterUser: string | null; userIds: string[] };

/** Takes the next step of a base line until the transaction ends: of several processes only one reads the same users. */
const takeTurn = (query: QueryJson, id: number): Promise<Turn> =>
  query<Turn>(Prisma.sql`
    WITH turn AS MATERIALIZED (
      SELECT project_id, after_user FROM public.webhook_fan_outs
      WHERE id = ${id} AND is_ready FOR NO KEY UPDATE SKIP LOCKED)
    SELECT json_build_object('afterUser', (SELECT after_user FROM turn), 'userIds', (
      SELECT coalesce(json_agg(one.user_id), '[]') FROM turn CROSS JOIN LATERAL (
        SELECT u.user_id FROM public.users u WHERE u.project_id = turn.project_id AND u.user_id > turn.after_user
        ORDER BY u.user_id LIMIT ${usersAtOnce}) one))`);

const writePage = sqlTemplate(`
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
    RETURNING user_id),
  moved AS (
    UPDATE public.webhook_fan_outs SET after_user = $to, position = position + $users::integer
    WHERE id = $base_line::bigint AND (SELECT count(*) FROM states) = $users::integer RETURNING run_id, position),
  run AS (${noteProgress()})
  SELECT json_build_object('written', (SELECT coalesce(json_agg(user_id), '[]') FROM states),
    'moved', (SELECT count(*) FROM moved))`);

/** What a user has, and whether time has changed it since the base line began. */
function readStill(
  read: UserSources,
  settings: DerivationSettings,
  { projectId, seenAt, asOf }: { projectId: string; seenAt: Instant; asOf: Instant },
): { state: ToldState; hasMoved: boolean } {
  const before = deriveState(read, settings, { projectId, asOf: seenAt }).state;
  // Until then nothing of it changes by itself, so it is what a read says now.
  if (before.nextChangeAt === null || before.nextChangeAt > asOf) return { state: before, hasMoved: false };
  const { state } = deriveState(read, settings, { projectId, asOf });
  return { state, hasMoved: toldText(before.list) !== toldText(state.list) };
}

/** What a step of a base line has come to. */
export type BaseLineStep = {
  /** After whom it began. */
  afterUser: string;
  /** Those of whom something may have to be told, before the base line goes on. */
  left: string[];
  /** Null: all users were read. */
  to: string | null;
  users: number;
  /** It goes on by itself; else by `advanceBaseLine`. */
  hasMoved: boolean;
};

/**
 * Stores what the next users of a base line that is ready have, without telling it. Those of whom something is to be told, as
 * they have changed since the telling began by a change or by time, are left. Null: another process is at it, or it has ended.
 */
export const readBaseLinePage = (
  database: Pick<Database, '$transactJson'>,
  { settings, now }: EmitContext,
  { id, projectId, seenAt }: BaseLine,
): Promise<BaseLineStep | null> =>
  database.$transactJson(async (query) => {
    const { afterUser, userIds } = await takeTurn(query, id);
    if (afterUser === null) return null;
    const to = userIds.at(-1);
    if (to === undefined) return { afterUser, left: [], to: null, users: 0, hasMoved: false };
    const sources = await readSources({ $queryJson: query }, projectId, userIds);
    const asOf = now();
    const rows = [...sources.values()]
      .flatMap((read) => {
        const { userRef, userId } = read;
        if (userRef === null) return [];
        const { state, hasMoved } = readStill(read, settings, { projectId, seenAt, asOf });
        return [{ row: toStateRow({ ref: userRef, userId, state }), hasMoved }];
      })
      // As emissions write them: two that write states of the same users wait for each other, and not in a circle.
      .sort((a, b) => a.row.ref - b.row.ref);
    const still = rows.flatMap(({ row, hasMoved }) => (hasMoved ? [] : row));
    const { written, moved } = await query<{ written: string[]; moved: number }>(
      writePage({
        project_id: projectId,
        base_line: id,
        states: JSON.stringify(still),
        to,
        users: userIds.length,
      }),
    );
    const done = new Set(written);
    const left = rows.flatMap(({ row }) => (done.has(row.user_id) ? [] : row.user_id));
    return { afterUser, left, to, users: userIds.length, hasMoved: moved > 0 };
  });

/** Notes that the users up to there are done; at the end of them the base line, and its run. */
export async function advanceBaseLine(
  database: Pick<Database, '$executeRaw'>,
  { id }: Pick<BaseLine, 'id'>,
  { afterUser, to, users, hasMoved }: BaseLineStep,
): Promise<void> {
  if (hasMoved) return;
  if (to === null) return finishFanOut(database, id);
  await database.$executeRaw`
    WITH moved AS (
      UPDATE public.webhook_fan_outs SET after_user = ${to}, position = position + ${users}
      WHERE id = ${id} AND after_user = ${afterUser} RETURNING run_id, position)
    ${Prisma.raw(noteProgress())}`;
}

/** How many users a project has, counted up to a limit. */
export const countUsers = (
  database: Pick<Database, '$queryJson'>,
  { projectId, upTo }: { projectId: string; upTo: number },
): Promise<number> =>
  database.$queryJson<number>(Prisma.sql`
    SELECT to_json(count(*)) FROM (SELECT FROM public.users WHERE project_id = ${projectId} LIMIT ${upTo}) one`);
