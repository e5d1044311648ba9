import { writeAudit } from '../audit.ts';
import type { Actor } from '../audit.ts';
import { lockProject } from '../change-user.ts';
import type { Database } from '../create-database.ts';
import { describeEndpoint, getWebhookEndpoint } from './find-endpoint.ts';
import type { WebhookEndpointKey } from './find-endpoint.ts';
import { leaveEndpoint } from './leave-endpoint.ts';

/**
 * Nothing is sent to it any more; its row stays while messages name it. Throws `project_not_found`,
 * `webhook_endpoint_not_found`.
 */
export async function deleteWebhookEndpoint(
  database: Database,
  { key, actor }: { key: WebhookEndpointKey; actor: Actor },
): Promise<void> {
  const { projectId, endpointId } = key;
  await database.$transaction(async (tx) => {
    await lockProject(tx, projectId);
    const before = await getWebhookEndpoint(tx, key);
    await tx.webhookEndpoint.update({
      where: { id: endpointId },
      data: {
        isEnabled: false,
        disabledReason: before.disabledReason ?? 'by_operator',
        deletedAt: new Date(),
      },
    });
    await leaveEndpoint(tx, key);
    await writeAudit(tx, {
      actor,
      action: 'webhook_endpoint.delete',
      projectId,
      target: { type: 'webhook_endpoint', id: endpointId },
      change: { before: describeEndpoint(before), after: null },
    });
  });
}
