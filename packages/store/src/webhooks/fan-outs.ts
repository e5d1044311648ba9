import type { Database, Queries } from '../create-database.ts';
import { Prisma } from '../generated/client.ts';
import type { QueryJson } from '../query-json.ts';

/** Ends what goes through a project's users, or what does so for one endpoint; its runs have failed, with the reason. */
export async function endFanOuts(
  tx: Pick<Queries, '$executeRaw'>,
  { projectId, endpointId = null }: { projectId: string; endpointId?: string | null },
  why: string,
): Promise<void> {
  const isOne = endpointId === null ? Prisma.sql`true` : Prisma.sql`endpoint_id = ${endpointId}`;
  await tx.$executeRaw`
    WITH ended AS (
      DELETE FROM public.webhook_fan_outs WHERE project_id = ${projectId} AND ${isOne} RETURNING run_id)
    UPDATE public.runs SET status = 'failed', error = ${why}, finished_at = clock_timestamp()
    FROM ended WHERE runs.id = ended.run_id AND runs.status = 'running'`;
}

export type Backfill = { endpoint: { id: string; projectId: string }; runId: string };

/**
 * Lets the worker tell the endpoint, and no other, the state of every user once. `runId`: a run of the kind `backfill`, which
 * ends with it. Returns false, and does nothing, while another backfill of the endpoint is under way.
 */
export async function startBackfill(
  tx: Queries,
  { endpoint: { id, projectId }, runId }: Backfill,
): Promise<boolean> {
  const begun = await tx.$executeRaw`
    INSERT INTO public.webhook_fan_outs (project_id, kind, endpoint_id, run_id, last_user)
    SELECT ${projectId}, 'backfill', ${id}, ${runId}, coalesce(max(id), 0) FROM public.users
    ON CONFLICT DO NOTHING`;
  return begun > 0;
}

export type FanOutKind = 'base_line' | 'catalog' | 'policy' | 'backfill';

/** Users of a project who are looked at one after the other. */
export type FanOut = {
  id: number;
  projectId: string;
  kind: FanOutKind;
  /** Of a backfill: the only one that hears. */
  endpointId: string | null;
  /** Those up to this id are done. */
  afterUser: string;
  lastUser: number;
};

/** What is under way, in any order; backfills of endpoints that are disabled are not. */
export const findFanOuts = (database: Pick<Database, '$queryJson'>): Promise<FanOut[]> =>
  database.$queryJson<FanOut[]>(Prisma.sql`
    SELECT coalesce(json_agg(one), '[]') FROM (
      SELECT id, project_id AS "projectId", kind, endpoint_id AS "endpointId", after_user AS "afterUser",
        last_user AS "lastUser"
      FROM public.webhook_fan_outs f WHERE kind <> 'base_line' ORDER BY random() LIMIT 20) one`);

/** The next users of a fan-out, in the order of their ids. */
export const nextUsers = (
  database: Pick<Database, '$queryJson'>,
  { projectId, afterUser, lastUser }: Pick<FanOut, 'projectId' | 'afterUser' | 'lastUser'>,
  limit: number,
): Promise<string[]> =>
  database.$queryJson<string[]>(Prisma.sql`
    SELECT coalesce(json_agg(user_id), '[]') FROM (
      SELECT user_id FROM public.users
      WHERE project_id = ${projectId} AND user_id > ${afterUser} AND id <= ${lastUser}
      ORDER BY user_id LIMIT ${limit}) one`);

/** From where to where it goes on, and how many users these are. */
export type FanOutStep = Pick<FanOut, 'id' | 'endpointId'> & { after: string; to: string; users: number };

/** What notes, of the part `moved` of a statement, how far a run has come; `besides`: what else is set, with its comma. */
export const noteProgress = (besides = ''): string => `
      UPDATE public.runs SET state = jsonb_build_object('phase', 'users', 'objects', moved.position), ${besides}
        progress_at = clock_timestamp(), started_at = coalesce(started_at, clock_timestamp())
      FROM moved WHERE runs.id = moved.run_id AND runs.status = 'running'`;

/** Takes a step, in the transaction that makes it. False: it was made by another process, or the fan-out has ended. */
export async function advanceFanOut(
  query: QueryJson,
  { id, after, to, users }: FanOutStep,
): Promise<boolean> {
  const { moved } = await query<{ moved: number }>(Prisma.sql`
    WITH moved AS (
      UPDATE public.webhook_fan_outs SET after_user = ${to}, position = position + ${users}
      WHERE id = ${id} AND after_user = ${after} RETURNING run_id, position),
    run AS (${Prisma.raw(noteProgress("result = jsonb_build_object('users', moved.position),"))})
    SELECT json_build_object('moved', (SELECT count(*) FROM moved))`);
  return moved > 0;
}

/** Ends a fan-out that has come to its end, and its run. */
export async function finishFanOut(database: Pick<Database, '$executeRaw'>, id: number): Promise<void> {
  await database.$executeRaw`
    WITH ended AS (DELETE FROM public.webhook_fan_outs WHERE id = ${id} RETURNING run_id, position)
    UPDATE public.runs SET status = 'done', finished_at = clock_timestamp(),
      started_at = coalesce(started_at, clock_timestamp()), result = jsonb_build_object('users', ended.position),
      state = jsonb_build_object('phase', 'users', 'objects', ended.position)
    FROM ended WHERE runs.id = ended.run_id AND runs.status = 'running'`;
}
