import { ServiceError } from '@billing/domain';
import type { Queries } from '../create-database.ts';
import type { WebhookAttempt, WebhookMessage } from '../generated/client.ts';

export type { WebhookAttempt, WebhookMessage } from '../generated/client.ts';

const mostAttempts = 1_000;

/** Throws `webhook_message_not_found`, also for one of another project than the only one. */
export async function getWebhookMessage(
  database: Queries,
  { messageId, onlyProject }: { messageId: string; onlyProject: string | null },
): Promise<WebhookMessage> {
  const message = await database.webhookMessage.findUnique({ where: { id: messageId } });
  if (message === null || (onlyProject !== null && message.projectId !== onlyProject))
    throw new ServiceError(
      'webhook_message_not_found',
      'Use a message_id that the deliveries of an endpoint list, and that is still kept.',
    );
  return message;
}

/** The newest tries of a message at all endpoints, oldest first. */
export async function findWebhookAttempts(database: Queries, messageId: string): Promise<WebhookAttempt[]> {
  const newest = await database.webhookAttempt.findMany({
    where: { messageId },
    orderBy: { id: 'desc' },
    take: mostAttempts,
  });
  return newest.toReversed();
}
