import type { Queries } from '../create-database.ts';
import { Prisma } from '../generated/client.ts';

/** So many at once; what is left of them is never sent, and is written down by the sender. */
const atOnce = 10_000;

/**
 * What waits for an endpoint, or for all of a project, is never sent. To be called in the transaction that disables or deletes
 * endpoints or deactivates a project: what is under way may still arrive.
 */
export async function discardDeliveries(
  tx: Queries,
  { projectId, endpointId = null }: { projectId: string; endpointId?: string | null },
): Promise<void> {
  const isOne = endpointId === null ? Prisma.sql`true` : Prisma.sql`e.id = ${endpointId}`;
  await tx.$executeRaw`
    UPDATE public.webhook_endpoints e SET discarded_to = coalesce(
      (SELECT d.id FROM public.webhook_deliveries d WHERE d.endpoint_id = e.id ORDER BY d.id DESC LIMIT 1), 0)
    WHERE e.project_id = ${projectId} AND ${isOne}`;
  await tx.$executeRaw`
    UPDATE public.webhook_deliveries SET status = 'discarded', next_try_at = NULL
    WHERE status = 'pending' AND id = ANY(ARRAY(
      SELECT d.id FROM public.webhook_endpoints e
      JOIN public.webhook_deliveries d ON d.endpoint_id = e.id AND d.status = 'pending' AND d.id <= e.discarded_to
      WHERE e.project_id = ${projectId} AND ${isOne} LIMIT ${atOnce}))`;
}
