import { buildCatalogChanged, buildUsageMessage } from '@billing/domain';
import type { Instant, ToldCrossing } from '@billing/domain';
import type { Database } from '../create-database.ts';
import { Prisma } from '../generated/client.ts';
import type { QueryJson } from '../query-json.ts';
import { endpointsOfProject, lockUsers } from './read-emission.ts';
import type { WantingEndpoint } from './read-emission.ts';
import { writeMessages } from './write-messages.ts';
import type { WrittenMessages } from './write-messages.ts';

type ProjectRow = {
  version: number;
  tellsChanges: boolean;
  baseLine: number;
  endpoints: WantingEndpoint[];
};

const nothing: WrittenMessages = { pending: [], types: [], late: [] };

const readProject = (query: QueryJson, projectId: string): Promise<ProjectRow> =>
  query<ProjectRow>(Prisma.sql`
    SELECT json_build_object('version', p.version, 'tellsChanges', p.tells_changes, 'baseLine', p.base_line,
      'endpoints', ${endpointsOfProject})
    FROM public.projects p WHERE p.id = ${projectId}`);

/** Lets changes of the catalog take turns with the transaction. False: one is under way. */
async function lockProject(query: QueryJson, projectId: string): Promise<boolean> {
  const locked = await query<number>(Prisma.sql`
    SELECT to_json(count(*)) FROM (
      SELECT 1 FROM public.projects WHERE id = ${projectId} FOR NO KEY UPDATE SKIP LOCKED) locked`);
  return locked > 0;
}

/** All marks about the project itself, which are done; null: of a change that nobody's answer depends on. */
const takeProjectMarks = (query: QueryJson, projectId: string): Promise<(string | null)[]> =>
  query<(string | null)[]>(Prisma.sql`
    WITH taken AS (
      DELETE FROM public.webhook_marks WHERE project_id = ${projectId} AND user_id IS NULL RETURNING cause)
    SELECT coalesce(json_agg(DISTINCT cause), '[]') FROM taken`);

/**
 * Lets all users be looked at. One that has not begun does for this change as well: its row is held until the commit, so that
 * whoever begins it sees the change.
 */
async function startFanOut(
  query: QueryJson,
  { projectId, kind }: { projectId: string; kind: string },
): Promise<void> {
  await query(Prisma.sql`
    WITH waiting AS (
      SELECT id FROM public.webhook_fan_outs
      WHERE project_id = ${projectId} AND kind = ${kind} AND after_user = '' FOR UPDATE SKIP LOCKED),
    begun AS (
      INSERT INTO public.webhook_fan_outs (project_id, kind, last_user)
      SELECT ${projectId}, ${kind}, coalesce(max(id), 0) FROM public.users
      HAVING NOT EXISTS (SELECT FROM waiting) RETURNING 1)
    SELECT json_build_object('begun', (SELECT count(*) FROM begun))`);
}

/** Tells that a project's catalog or policy has changed, and lets its users be looked at. */
export const emitProject = (
  database: Pick<Database, '$transactJson'>,
  projectId: string,
  now: Instant,
): Promise<WrittenMessages> =>
  database.$transactJson(async (query) => {
    // No two messages have one version.
    if (!(await lockProject(query, projectId))) return nothing;
    const project = await readProject(query, projectId);
    const causes = await takeProjectMarks(query, projectId);
    if (causes.length === 0 || !project.tellsChanges) return nothing;
    const { version } = project;
    for (const kind of causes) if (kind !== null) await startFanOut(query, { projectId, kind });
    const body = buildCatalogChanged({ projectId, version }, now);
    return writeMessages(query, { projectId, ...project, messages: [{ userId: null, version, body }] });
  });

type CrossingMark = { projectId: string; userId: string; crossing: ToldCrossing; at: Instant };

const crossingsAtOnce = 100;

const takeCrossings = (query: QueryJson): Promise<CrossingMark[]> =>
  query<CrossingMark[]>(Prisma.sql`
    WITH taken AS (
      DELETE FROM public.webhook_marks WHERE id = ANY(ARRAY(
        SELECT id FROM public.webhook_marks WHERE NOT is_paced AND crossing IS NOT NULL
        ORDER BY id LIMIT ${crossingsAtOnce} FOR UPDATE SKIP LOCKED))
      RETURNING id, project_id, user_id, crossing, created_at)
    SELECT coalesce(json_agg(json_build_object('projectId', project_id, 'userId', user_id, 'crossing', crossing,
      'at', (extract(epoch FROM created_at) * 1000)::bigint) ORDER BY id), '[]') FROM taken`);

/** Tells of thresholds and limits that usage has reached: facts, each for itself. */
export const emitCrossings = (database: Pick<Database, '$transactJson'>): Promise<WrittenMessages> =>
  database.$transactJson(async (query) => {
    const taken = await takeCrossings(query);
    const types: string[] = [];
    for (const projectId of new Set(taken.map((one) => one.projectId))) {
      const project = await readProject(query, projectId);
      if (!project.tellsChanges) continue;
      const ofProject = taken.filter((one) => one.projectId === projectId);
      const userIds = ofProject.map(({ userId }) => userId);
      // Of a user who is being erased nothing is made.
      const there = await lockUsers(query, { projectId, userIds, waits: true });
      const messages = ofProject
        .filter(({ userId }) => there.some((user) => user.userId === userId))
        .map(({ userId, crossing, at }) => ({
          userId,
          version: null,
          body: buildUsageMessage({ projectId, userId }, crossing, at),
        }));
      types.push(...(await writeMessages(query, { projectId, ...project, messages })).types);
    }
    return { ...nothing, types };
  });
