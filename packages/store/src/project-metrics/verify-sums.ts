import { isDeepStrictEqual } from 'node:util';
import { dayMs } from '@billing/domain';
import type { Instant } from '@billing/domain';
import type { Database } from '../create-database.ts';
import { countDirectly } from './count-directly.ts';
import type { ProjectMetrics } from './count-directly.ts';
import { readSums } from './read-project-metrics.ts';

export type SumsVerification = {
  projects: number;
  /** Projects whose sums differ from what their subscriptions are. */
  differing: { projectId: string; sums: ProjectMetrics; subscriptions: ProjectMetrics }[];
  /** False: they are still being made; nothing was compared. */
  isComplete: boolean;
};

/** Any grace does: it only decides which sums count. */
const graceMs = 7 * dayMs;
/** A change between the two reads is no difference. */
const tries = 3;

async function compare(database: Database, projectId: string, now: Instant) {
  const order = { projectId, now, graceMs };
  const [sums, subscriptions] = [await readSums(database, order), await countDirectly(database, order)];
  return { sums, subscriptions, isSame: isDeepStrictEqual(sums, subscriptions) };
}

/** Compares the sums of every project with its subscriptions, which reads all of them. */
export async function verifySums(database: Database, now: Instant): Promise<SumsVerification> {
  const projects = await database.project.findMany({ select: { id: true }, orderBy: { id: 'asc' } });
  const differing: SumsVerification['differing'] = [];
  for (const { id: projectId } of projects) {
    let compared = await compare(database, projectId, now);
    for (let tried = 1; tried < tries && !compared.isSame; tried += 1)
      compared = await compare(database, projectId, now);
    const { sums, subscriptions, isSame } = compared;
    if (sums === null) return { projects: projects.length, differing: [], isComplete: false };
    if (!isSame) differing.push({ projectId, sums, subscriptions });
  }
  return { projects: projects.length, differing, isComplete: true };
}
