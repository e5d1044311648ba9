import { dayMs, minuteMs, toTimestamp } from '@billing/domain';
import type { Instant } from '@billing/domain';
import {
  correctRevenueDay,
  countDayChanges,
  deleteRevenueDays,
  findProjectsToCount,
  readProjectMetrics,
  writeRevenueDay,
} from '@billing/store';
import type { MaintenanceDeps } from './deps.ts';

/** The row of the running day is at most so old. */
const rewrittenAfterMs = 10 * minuteMs;
/** Five years: a few hundred bytes a year and project, of nobody. */
const keptDays = 1_830;

const dayOf = (at: Instant): string => toTimestamp(at).slice(0, 10);

type Deps = Pick<MaintenanceDeps, 'database' | 'clock' | 'telling'>;

/**
 * Writes each project's row of the running day where it is missing or old, and corrects what began and ended on the day
 * before. The last row of a day stays. Two workers that do so at once write the same.
 */
export async function countRevenue(
  { database, clock, telling }: Deps,
  signal: AbortSignal,
): Promise<'again' | 'rest'> {
  const now = clock();
  const [today, yesterday] = [dayOf(now), dayOf(now - dayMs)];
  const { projectIds, hasMore } = await findProjectsToCount(database, {
    day: today,
    writtenBefore: new Date(now - rewrittenAfterMs),
  });
  if (projectIds.length === 0) return 'rest';
  const changes = await countDayChanges(database, { since: yesterday });
  const changesOf = (projectId: string, day: string) =>
    changes.find((one) => one.projectId === projectId && one.day === day) ?? { begun: 0, ended: 0 };
  const { pastDueGraceDays } = telling.derivation;
  for (const projectId of projectIds) {
    if (signal.aborted) return 'rest';
    const metrics = await readProjectMetrics(database, { projectId, now, pastDueGraceDays });
    const ofToday = { projectId, day: today };
    await writeRevenueDay(database, {
      ...ofToday,
      metrics,
      changes: changesOf(projectId, today),
      now: new Date(now),
    });
    const before = { projectId, day: yesterday };
    await correctRevenueDay(database, { ...changesOf(projectId, yesterday), ...before });
  }
  return hasMore ? 'again' : 'rest';
}

/** Deletes the rows of days that are no longer kept. */
export async function deleteOldRevenue({ database, clock }: Pick<Deps, 'database' | 'clock'>): Promise<void> {
  await deleteRevenueDays(database, { before: dayOf(clock() - keptDays * dayMs) });
}
