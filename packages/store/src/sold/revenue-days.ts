import type { Money } from '@billing/domain';
import { z } from 'zod';
import type { Database } from '../create-database.ts';
import type { ProjectMetrics } from '../project-metrics/count-directly.ts';

/** A project's numbers of one day (`YYYY-MM-DD`, UTC). */
export type RevenueDay = {
  day: string;
  mrr: Money[];
  active: number;
  trialing: number;
  total: number;
  /** How many have each status; empty: an older version wrote the day. */
  statuses: Readonly<Record<string, number>>;
  begun: number;
  ended: number;
  writtenAt: Date;
};

type ProjectDay = { projectId: string; day: string };

const money = z.array(z.object({ currency: z.string(), amount: z.number() }));

const counts = z.record(z.string(), z.number());

const asDate = (day: string): Date => new Date(`${day}T00:00:00.000Z`);

/** In the order of time; `from` and `to` inclusive. */
export async function listRevenueDays(
  database: Pick<Database, 'revenueDay'>,
  { projectId, from, to }: { projectId: string; from: string; to: string },
): Promise<RevenueDay[]> {
  const rows = await database.revenueDay.findMany({
    where: { projectId, day: { gte: from, lte: to } },
    orderBy: { day: 'asc' },
  });
  return rows.map(({ mrr, statuses, ...row }) => ({
    ...row,
    mrr: money.parse(mrr),
    statuses: counts.parse(statuses),
  }));
}

const projectsAtOnce = 200;

/** Projects whose row of the day is missing, or was written before that moment: the next of them. */
export async function findProjectsToCount(
  database: Pick<Database, '$queryRaw'>,
  { day, writtenBefore }: { day: string; writtenBefore: Date },
): Promise<{ projectIds: string[]; hasMore: boolean }> {
  const rows = await database.$queryRaw<{ id: string }[]>`
    SELECT p.id FROM public.projects p
    LEFT JOIN public.revenue_days d ON d.project_id = p.id AND d.day = ${day}
    WHERE d.written_at IS NULL OR d.written_at < ${writtenBefore}::timestamptz
    ORDER BY p.id LIMIT ${projectsAtOnce + 1}`;
  return {
    projectIds: rows.slice(0, projectsAtOnce).map(({ id }) => id),
    hasMore: rows.length > projectsAtOnce,
  };
}

/** How many subscriptions began and ended on one day in one project. */
export type DayChanges = ProjectDay & { begun: number; ended: number };

/**
 * Of all projects, by days since that one. What began then is stored since then, or shortly before: the clocks differ.
 * What was never paid counts in neither.
 */
export const countDayChanges = (
  database: Pick<Database, '$queryRaw'>,
  { since }: { since: string },
): Promise<DayChanges[]> => {
  const from = asDate(since);
  return database.$queryRaw<DayChanges[]>`
    SELECT owner.project_id AS "projectId", to_char(changed.at AT TIME ZONE 'UTC', 'YYYY-MM-DD') AS day,
      count(*) FILTER (WHERE changed.began)::int AS begun, count(*) FILTER (WHERE NOT changed.began)::int AS ended
    FROM (
      SELECT s.id, s.user_ref, s.start_date AS at, true AS began FROM public.subscriptions s
      WHERE s.created_at >= ${from}::timestamptz - interval '1 day' AND s.start_date >= ${from}::timestamptz
        AND s.status NOT IN ('incomplete', 'incomplete_expired')
      UNION ALL
      SELECT s.id, s.user_ref, s.ended_at, false FROM public.subscriptions s
      WHERE s.ended_at >= ${from}::timestamptz AND s.status = 'canceled') changed
    CROSS JOIN LATERAL (
      SELECT u.project_id FROM public.users u WHERE u.id = changed.user_ref
      UNION
      SELECT o.project_id FROM public.object_owners o WHERE o.object_id = changed.id) owner
    GROUP BY 1, 2`;
};

/** The row of a day: as of now, or the first. */
export async function writeRevenueDay(
  database: Pick<Database, '$executeRaw'>,
  {
    projectId,
    day,
    metrics: { mrr, active, trialing, total, statuses },
    changes: { begun, ended },
    now,
  }: ProjectDay & {
    metrics: ProjectMetrics;
    changes: { begun: number; ended: number };
    now: Date;
  },
): Promise<void> {
  await database.$executeRaw`
    INSERT INTO public.revenue_days
      (project_id, day, mrr, active, trialing, total, statuses, begun, ended, written_at)
    VALUES (${projectId}, ${day}, ${JSON.stringify(mrr)}::jsonb, ${active}, ${trialing}, ${total},
      ${JSON.stringify(statuses)}::jsonb, ${begun}, ${ended}, ${now}::timestamptz)
    ON CONFLICT (project_id, day) DO UPDATE SET mrr = excluded.mrr, active = excluded.active,
      trialing = excluded.trialing, total = excluded.total, statuses = excluded.statuses, begun = excluded.begun,
      ended = excluded.ended, written_at = excluded.written_at`;
}

/** A day that is over: events of what began and ended on it may have come late. */
export async function correctRevenueDay(
  database: Pick<Database, '$executeRaw'>,
  { projectId, day, begun, ended }: DayChanges,
): Promise<void> {
  await database.$executeRaw`
    UPDATE public.revenue_days SET begun = ${begun}, ended = ${ended}
    WHERE project_id = ${projectId} AND day = ${day} AND (begun, ended) IS DISTINCT FROM (${begun}, ${ended})`;
}

/** Deletes the rows of days before that one. */
export async function deleteRevenueDays(
  database: Pick<Database, '$executeRaw'>,
  { before }: { before: string },
): Promise<number> {
  return database.$executeRaw`DELETE FROM public.revenue_days WHERE day < ${before}`;
}
