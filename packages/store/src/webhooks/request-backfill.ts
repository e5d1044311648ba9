import { ServiceError } from '@billing/domain';
import { writeAudit } from '../audit.ts';
import type { Actor } from '../audit.ts';
import { lockProject } from '../change-user.ts';
import type { Database } from '../create-database.ts';
import { newRunId } from '../runs/new-run-id.ts';
import { startBackfill } from './fan-outs.ts';
import { getWebhookEndpoint } from './find-endpoint.ts';
import type { WebhookEndpointKey } from './find-endpoint.ts';

/**
 * Has the worker tell an endpoint the state of every user. Throws `project_not_found`, `webhook_endpoint_not_found`,
 * `endpoint_disabled` (also of a project that is switched off), `backfill_running`.
 */
export async function requestBackfill(
  database: Database,
  { key, actor }: { key: WebhookEndpointKey; actor: Actor },
): Promise<{ runId: string }> {
  const { projectId, endpointId } = key;
  return database.$transaction(async (tx) => {
    await lockProject(tx, projectId);
    const endpoint = await getWebhookEndpoint(tx, key);
    const { isActive } = await tx.project.findUniqueOrThrow({ where: { id: projectId } });
    if (!isActive || !endpoint.isEnabled)
      throw new ServiceError(
        'endpoint_disabled',
        `Switch the ${isActive ? 'endpoint' : 'project'} on first: nothing is sent meanwhile.`,
      );
    const runId = newRunId();
    await tx.run.create({
      data: {
        id: runId,
        kind: 'backfill',
        projectId,
        requestedBy: actor.name,
        params: { endpoint_id: endpointId },
        state: { phase: 'users', objects: 0 },
      },
    });
    if (!(await startBackfill(tx, { endpoint, runId })))
      throw new ServiceError(
        'backfill_running',
        'Wait until the backfill of this endpoint that is under way has ended.',
      );
    await writeAudit(tx, {
      actor,
      action: 'webhook_endpoint.backfill',
      projectId,
      target: { type: 'webhook_endpoint', id: endpointId },
      details: { run_id: runId },
    });
    return { runId };
  });
}
