import type { Queries } from '../create-database.ts';
import { Prisma } from '../generated/client.ts';

/** Ends what goes through a project's users, or what does so for one endpoint; its runs have failed, with the reason. */
export async function endFanOuts(
  tx: Queries,
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
