import type { WebhookDeliveriesQuery } from '@billing/domain';
import type { Queries } from '../create-database.ts';
import type { WebhookDelivery } from '../generated/client.ts';
import { given } from '../given.ts';
import { decodeCursor, sequenceKey, toPage } from '../page.ts';
import type { Page } from '../page.ts';
import type { WebhookEndpointKey } from './find-endpoint.ts';

export type { WebhookDelivery } from '../generated/client.ts';

/** What was, is and was not sent to an endpoint, newest first. Those of a user are found by the user's messages. */
export async function listWebhookDeliveries(
  database: Queries,
  { projectId, endpointId, ...query }: WebhookEndpointKey & WebhookDeliveriesQuery,
): Promise<Page<WebhookDelivery>> {
  const { limit, cursor, status, type, user_id: userId } = query;
  const before = cursor === undefined ? undefined : BigInt(decodeCursor(sequenceKey, cursor)[0]);
  const rows = await database.webhookDelivery.findMany({
    where: {
      endpointId,
      // What an operator asked for is among the message's attempts.
      resend: 0,
      status: given(status),
      type: given(type),
      id: { lt: given(before) },
      message: given(userId === undefined ? undefined : { projectId, userId }),
    },
    orderBy: { id: 'desc' },
    take: limit + 1,
  });
  return toPage(rows, limit, (row) => [String(row.id)]);
}
