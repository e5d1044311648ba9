import { writeAudit } from '../audit.ts';
import { lockProject } from '../change-user.ts';
import type { Database } from '../create-database.ts';
import { leaveEndpoint } from './leave-endpoint.ts';
import type { EndpointToDisable } from './record-tries.ts';

/**
 * Disables an endpoint that is gone, or that has failed for too long, as `system`; false: it was disabled, deleted or began to
 * accept messages meanwhile.
 */
export async function disableEndpoint(
  database: Database,
  { endpointId, reason, disableAfterMs }: EndpointToDisable & { disableAfterMs: number },
): Promise<boolean> {
  const endpoint = await database.webhookEndpoint.findUnique({ where: { id: endpointId } });
  if (endpoint === null) return false;
  const { projectId } = endpoint;
  return database.$transaction(async (tx) => {
    await lockProject(tx, projectId);
    const disabled = await tx.$executeRaw`
      UPDATE public.webhook_endpoints SET is_enabled = false, disabled_reason = ${reason}, updated_at = now()
      WHERE id = ${endpointId} AND is_enabled AND deleted_at IS NULL
        AND (${reason} = 'gone' OR failing_since <= now() - make_interval(secs => ${disableAfterMs / 1000}::float8))`;
    if (disabled === 0) return false;
    await leaveEndpoint(tx, { projectId, endpointId });
    await writeAudit(tx, {
      actor: { name: 'system', requestId: null },
      action: 'webhook_endpoint.disable',
      projectId,
      target: { type: 'webhook_endpoint', id: endpointId },
      reason,
      change: { before: { is_enabled: true }, after: { is_enabled: false, disabled_reason: reason } },
    });
    return true;
  });
}
