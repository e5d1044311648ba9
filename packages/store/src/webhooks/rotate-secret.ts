import { hourMs } from '@billing/domain';
import type { Instant } from '@billing/domain';
import { writeAudit } from '../audit.ts';
import type { Actor } from '../audit.ts';
import { lockProject } from '../change-user.ts';
import type { Database } from '../create-database.ts';
import { getWebhookEndpoint } from './find-endpoint.ts';
import type { WebhookEndpoint, WebhookEndpointKey } from './find-endpoint.ts';

type Rotation = {
  key: WebhookEndpointKey;
  overlapHours: number;
  /** The fingerprint of the key by which the new secret is derived. */
  keyId: string;
  now: Instant;
  actor: Actor;
};

/**
 * A new generation of the secret; the one before signs too until the overlap ends, older ones no more. Throws
 * `project_not_found`, `webhook_endpoint_not_found`.
 */
export async function rotateWebhookSecret(
  database: Database,
  { key, overlapHours, keyId, now, actor }: Rotation,
): Promise<WebhookEndpoint> {
  const { projectId, endpointId } = key;
  return database.$transaction(async (tx) => {
    await lockProject(tx, projectId);
    const before = await getWebhookEndpoint(tx, key);
    const until = overlapHours === 0 ? null : new Date(Math.round(now + overlapHours * hourMs));
    const after = await tx.webhookEndpoint.update({
      where: { id: endpointId },
      data: {
        generation: before.generation + 1,
        keyId,
        previousGeneration: until === null ? null : before.generation,
        previousKeyId: until === null ? null : before.keyId,
        previousUntil: until,
      },
    });
    await writeAudit(tx, {
      actor,
      action: 'webhook_endpoint.rotate_secret',
      projectId,
      target: { type: 'webhook_endpoint', id: endpointId },
      change: {
        before: {
          generation: before.generation,
          previous_until: before.previousUntil?.toISOString() ?? null,
        },
        after: { generation: after.generation, previous_until: until?.toISOString() ?? null },
      },
    });
    return after;
  });
}
