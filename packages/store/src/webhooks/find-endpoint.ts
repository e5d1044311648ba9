import { ServiceError } from '@billing/domain';
import type { Queries } from '../create-database.ts';
import type { WebhookEndpoint } from '../generated/client.ts';
import { decodeCursor, timeAndIdKey, toPage } from '../page.ts';
import type { Page, PageRequest } from '../page.ts';

export type { WebhookEndpoint } from '../generated/client.ts';

export type WebhookEndpointKey = { projectId: string; endpointId: string };

/** Throws `webhook_endpoint_not_found`; one that was deleted is not there. */
export async function getWebhookEndpoint(
  database: Queries,
  { projectId, endpointId }: WebhookEndpointKey,
): Promise<WebhookEndpoint> {
  const endpoint = await database.webhookEndpoint.findFirst({
    where: { id: endpointId, projectId, deletedAt: null },
  });
  if (endpoint === null)
    throw new ServiceError(
      'webhook_endpoint_not_found',
      'Use the endpoint_id of a webhook endpoint of this project.',
    );
  return endpoint;
}

/** A project's endpoints, oldest first, without those that were deleted. */
export async function listWebhookEndpoints(
  database: Queries,
  { projectId, limit, cursor }: PageRequest & { projectId: string },
): Promise<Page<WebhookEndpoint>> {
  const position = cursor === undefined ? {} : { OR: afterKey(decodeCursor(timeAndIdKey, cursor)) };
  const rows = await database.webhookEndpoint.findMany({
    where: { projectId, deletedAt: null, ...position },
    orderBy: [{ createdAt: 'asc' }, { id: 'asc' }],
    take: limit + 1,
  });
  return toPage(rows, limit, (row) => [row.createdAt.getTime(), row.id]);
}

function afterKey([at, id]: [number, string]) {
  const createdAt = new Date(at);
  return [{ createdAt: { gt: createdAt } }, { createdAt, id: { gt: id } }];
}

/** For the audit log. */
export const describeEndpoint = (endpoint: WebhookEndpoint) => ({
  url: endpoint.url,
  event_types: endpoint.eventTypes,
  payload: endpoint.payload,
  delivery: endpoint.delivery,
  description: endpoint.description,
  is_enabled: endpoint.isEnabled,
});
