import { randomUUID } from 'node:crypto';
import { ServiceError } from '@billing/domain';
import type { CreateWebhookEndpointRequest } from '@billing/domain';
import { writeAudit } from '../audit.ts';
import type { Actor } from '../audit.ts';
import { lockProject } from '../change-user.ts';
import type { Database } from '../create-database.ts';
import { describeEndpoint } from './find-endpoint.ts';
import type { WebhookEndpoint } from './find-endpoint.ts';
import { startTelling } from './start-telling.ts';

const mostEndpoints = 10;

type NewEndpoint = {
  projectId: string;
  request: CreateWebhookEndpointRequest;
  /** The fingerprint of the key by which its secret is derived. */
  keyId: string;
  actor: Actor;
};

/** Throws `project_not_found`, `too_many_endpoints`. */
export async function createWebhookEndpoint(
  database: Database,
  { projectId, request, keyId, actor }: NewEndpoint,
): Promise<WebhookEndpoint> {
  const { url, event_types: eventTypes, payload, delivery, description = null } = request;
  const id = `whe_${randomUUID().replaceAll('-', '')}`;
  return database.$transaction(async (tx) => {
    await lockProject(tx, projectId);
    if ((await tx.webhookEndpoint.count({ where: { projectId, deletedAt: null } })) >= mostEndpoints)
      throw new ServiceError(
        'too_many_endpoints',
        `Delete an endpoint that is not needed: a project has at most ${mostEndpoints}.`,
      );
    const endpoint = await tx.webhookEndpoint.create({
      data: { id, projectId, url, eventTypes, payload, delivery, description, keyId },
    });
    await startTelling(tx, projectId);
    await writeAudit(tx, {
      actor,
      action: 'webhook_endpoint.create',
      projectId,
      target: { type: 'webhook_endpoint', id },
      change: { before: null, after: describeEndpoint(endpoint) },
    });
    return endpoint;
  });
}
