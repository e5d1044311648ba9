import type { PatchWebhookEndpointRequest } from '@billing/domain';
import { writeAudit } from '../audit.ts';
import type { Actor } from '../audit.ts';
import { lockProject } from '../change-user.ts';
import type { Database } from '../create-database.ts';
import { given } from '../given.ts';
import { describeEndpoint, getWebhookEndpoint } from './find-endpoint.ts';
import type { WebhookEndpoint, WebhookEndpointKey } from './find-endpoint.ts';
import { leaveEndpoint } from './leave-endpoint.ts';
import { startTelling } from './start-telling.ts';

const enabled = { isEnabled: true, disabledReason: null, failingSince: null } as const;
const disabled = { isEnabled: false, disabledReason: 'by_operator' } as const;

type Change = { key: WebhookEndpointKey; patch: PatchWebhookEndpointRequest; actor: Actor };

/**
 * What is absent in `patch` stays. One that is enabled forgets its failures, one that is disabled its waiting messages.
 * Throws `project_not_found`, `webhook_endpoint_not_found`.
 */
export async function patchWebhookEndpoint(
  database: Database,
  { key, patch, actor }: Change,
): Promise<WebhookEndpoint> {
  const { projectId, endpointId } = key;
  return database.$transaction(async (tx) => {
    await lockProject(tx, projectId);
    const before = await getWebhookEndpoint(tx, key);
    const isEnabled = patch.is_enabled ?? before.isEnabled;
    const isSwitched = isEnabled !== before.isEnabled;
    const after = await tx.webhookEndpoint.update({
      where: { id: endpointId },
      data: {
        url: given(patch.url),
        eventTypes: given(patch.event_types),
        payload: given(patch.payload),
        delivery: given(patch.delivery),
        description: given(patch.description),
        ...(isSwitched ? (isEnabled ? enabled : disabled) : {}),
      },
    });
    if (isSwitched) await (isEnabled ? startTelling(tx, projectId) : leaveEndpoint(tx, key));
    await writeAudit(tx, {
      actor,
      action: 'webhook_endpoint.update',
      projectId,
      target: { type: 'webhook_endpoint', id: endpointId },
      change: { before: describeEndpoint(before), after: describeEndpoint(after) },
    });
    return after;
  });
}
