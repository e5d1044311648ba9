import type { Instant } from '@billing/domain';
import type { Database } from '../create-database.ts';
import { Prisma } from '../generated/client.ts';

/** Users of one project, those who have waited longest first. */
export type ProjectUsers = { projectId: string; userIds: string[] };

/** What waits to be told. */
export type Waiting = {
  /** Users who may have changed. */
  users: ProjectUsers[];
  /** Projects whose catalog or policy has changed. */
  projects: string[];
  hasCrossings: boolean;
  /** There is more of these. */
  hasMore: boolean;
  /** What is told at a rate waits, too. */
  hasPaced: boolean;
  hasDue: boolean;
  hasFanOuts: boolean;
};

type MarkRow = { projectId: string; userId: string | null; isCrossing: boolean };
type WaitingRow = Pick<Waiting, 'hasPaced' | 'hasDue' | 'hasFanOuts'> & { marks: MarkRow[] };

const marksAtOnce = 400;

function toProjectUsers(rows: readonly { projectId: string; userId: string }[]): ProjectUsers[] {
  const byProject = new Map<string, Set<string>>();
  for (const { projectId, userId } of rows) {
    const known = byProject.get(projectId) ?? new Set();
    byProject.set(projectId, known.add(userId));
  }
  return [...byProject].map(([projectId, userIds]) => ({ projectId, userIds: [...userIds] }));
}

const marksWhere = (isOne: Prisma.Sql, limit: number): Prisma.Sql => Prisma.sql`
  (SELECT coalesce(json_agg(json_build_object('projectId', m.project_id, 'userId', m.user_id, 'isCrossing', m.is_crossing)
      ORDER BY m.id), '[]')
    FROM (SELECT id, project_id, user_id, crossing IS NOT NULL AS is_crossing FROM public.webhook_marks
      WHERE ${isOne} ORDER BY id LIMIT ${limit}) m)`;

/** Looks for all that waits to be told, by one statement: nearly always there is nothing. */
export async function findWaiting(database: Pick<Database, '$queryJson'>, now: Instant): Promise<Waiting> {
  const { marks, ...rest } = await database.$queryJson<WaitingRow>(Prisma.sql`
    SELECT json_build_object('marks', ${marksWhere(Prisma.sql`NOT is_paced`, marksAtOnce)},
      'hasPaced', EXISTS (SELECT FROM public.webhook_marks WHERE is_paced),
      'hasDue', EXISTS (SELECT FROM public.webhook_states WHERE next_change_at <= ${new Date(now)}::timestamptz),
      'hasFanOuts', EXISTS (SELECT FROM public.webhook_fan_outs WHERE kind <> 'base_line'))`);
  return {
    ...rest,
    users: toProjectUsers(
      marks.flatMap(({ projectId, userId, isCrossing }) =>
        userId === null || isCrossing ? [] : { projectId, userId },
      ),
    ),
    projects: [...new Set(marks.flatMap(({ projectId, userId }) => (userId === null ? projectId : [])))],
    hasCrossings: marks.some(({ isCrossing }) => isCrossing),
    hasMore: marks.length === marksAtOnce,
  };
}

/** Users with marks of what is told at a rate. */
export async function findPaced(
  database: Pick<Database, '$queryJson'>,
  limit: number,
): Promise<ProjectUsers[]> {
  const marks = await database.$queryJson<MarkRow[]>(
    Prisma.sql`SELECT ${marksWhere(Prisma.sql`is_paced`, limit)}`,
  );
  return toProjectUsers(
    marks.flatMap(({ projectId, userId }) => (userId === null ? [] : { projectId, userId })),
  );
}

/** Users whose answer time may have changed, the oldest first. */
export async function findDue(
  database: Pick<Database, '$queryJson'>,
  { now, limit }: { now: Instant; limit: number },
): Promise<ProjectUsers[]> {
  const due = await database.$queryJson<{ projectId: string; userId: string }[]>(Prisma.sql`
    SELECT coalesce(json_agg(json_build_object('projectId', project_id, 'userId', user_id) ORDER BY next_change_at), '[]') FROM (
      SELECT project_id, user_id, next_change_at FROM public.webhook_states
      WHERE next_change_at <= ${new Date(now)}::timestamptz ORDER BY next_change_at LIMIT ${limit}) due`);
  return toProjectUsers(due);
}

/** For how long the oldest of what is told at once, or of what time has changed, waits; in seconds, 0: nothing does. */
export async function readEmitLag(database: Pick<Database, '$queryJson'>, now: Instant): Promise<number> {
  const { marked, due } = await database.$queryJson<{ marked: number; due: number | null }>(Prisma.sql`
    SELECT json_build_object(
      'marked', coalesce((SELECT extract(epoch FROM clock_timestamp() - created_at) * 1000 FROM public.webhook_marks
        WHERE NOT is_paced ORDER BY id LIMIT 1), 0)::bigint,
      'due', (SELECT (extract(epoch FROM min(next_change_at)) * 1000)::bigint FROM public.webhook_states))`);
  return Math.max(0, marked, due === null ? 0 : now - due) / 1000;
}
