import { writeAudit } from '../audit.ts';
import type { Actor } from '../audit.ts';
import type { Database } from '../create-database.ts';
import type { WebhookEndpointKey } from './find-endpoint.ts';

type Ping = {
  key: WebhookEndpointKey;
  messageId: string;
  body: string;
  attempt: {
    at: Date;
    status: number | null;
    durationMs: number;
    error: string | null;
    response: string | null;
  };
  actor: Actor;
};

/** Keeps what was sent to try an endpoint and what came back, as of any message; it touches nothing of the endpoint. */
export async function recordPing(
  database: Database,
  { key, messageId, body, attempt, actor }: Ping,
): Promise<void> {
  const { projectId, endpointId } = key;
  const { at, status, durationMs, error, response } = attempt;
  await database.$transaction(async (tx) => {
    await tx.webhookMessage.create({ data: { id: messageId, projectId, type: 'webhook.ping', full: body } });
    await tx.webhookAttempt.create({
      data: { messageId, endpointId, at, status, durationMs, error, response },
    });
    await writeAudit(tx, {
      actor,
      action: 'webhook_endpoint.ping',
      projectId,
      target: { type: 'webhook_endpoint', id: endpointId },
      details: { message_id: messageId, status, error },
    });
  });
}
