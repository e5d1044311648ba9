import type { Queries } from '../create-database.ts';
import { newRunId } from '../runs/new-run-id.ts';
import { endFanOuts } from './fan-outs.ts';

type Telling = { tells: boolean; should: boolean };

/** Takes turns with all others who switch it: what they did to endpoints is seen. */
async function readTelling(tx: Queries, projectId: string): Promise<Telling> {
  await tx.$queryRaw`SELECT 1 FROM public.projects WHERE id = ${projectId} FOR NO KEY UPDATE`;
  const [row] = await tx.$queryRaw<Telling[]>`
    SELECT p.tells_changes AS tells, p.is_active AND EXISTS (
      SELECT FROM public.webhook_endpoints e
      WHERE e.project_id = p.id AND e.is_enabled AND e.deleted_at IS NULL) AS should
    FROM public.projects p WHERE p.id = ${projectId}`;
  return row ?? { tells: false, should: false };
}

/**
 * From the commit of `tx` on changes of the project's users are marked, if it is active and has an enabled endpoint. If it did
 * not tell any before, a base line of all its users is due (`readBaseLine`, or a worker). To be called in every transaction
 * that makes or enables an endpoint or activates a project, after that.
 */
export async function startTelling(tx: Queries, projectId: string): Promise<void> {
  const { tells, should } = await readTelling(tx, projectId);
  if (tells || !should) return;
  await endFanOuts(tx, { projectId }, 'another base line begins');
  const runId = newRunId();
  await tx.run.create({
    data: {
      id: runId,
      kind: 'base_line',
      projectId,
      requestedBy: 'system',
      state: { phase: 'users', objects: 0 },
    },
  });
  await tx.$executeRaw`
    WITH begun AS (
      INSERT INTO public.webhook_fan_outs (project_id, kind, run_id, last_user)
      SELECT ${projectId}, 'base_line', ${runId}, coalesce(max(id), 0) FROM public.users
      RETURNING id)
    UPDATE public.projects SET tells_changes = true, base_line = begun.id FROM begun WHERE projects.id = ${projectId}`;
}

/**
 * From the commit of `tx` on nothing is marked any more, if the project is inactive or has no enabled endpoint. To be called in
 * every transaction that disables or deletes an endpoint or deactivates a project, after that.
 */
export async function stopTelling(tx: Queries, projectId: string): Promise<void> {
  const { tells, should } = await readTelling(tx, projectId);
  if (!tells || should) return;
  await tx.$executeRaw`UPDATE public.projects SET tells_changes = false WHERE id = ${projectId}`;
  await endFanOuts(tx, { projectId }, 'the project has no enabled endpoint any more');
}
