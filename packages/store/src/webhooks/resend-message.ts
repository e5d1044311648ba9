import { ServiceError } from '@billing/domain';
import { writeAudit } from '../audit.ts';
import type { Actor } from '../audit.ts';
import type { Database, Queries } from '../create-database.ts';
import { getWebhookEndpoint } from './find-endpoint.ts';

type Resend = {
  messageId: string;
  /** Absent: all enabled endpoints that it was made for. */
  endpointId?: string | undefined;
  /** The one project that the caller may see; null: all. */
  onlyProject: string | null;
  actor: Actor;
};

type Message = { projectId: string; isActive: boolean };

/** Locks it, so that tries are numbered one after the other. */
async function lockMessage(
  tx: Queries,
  { messageId, onlyProject }: Pick<Resend, 'messageId' | 'onlyProject'>,
): Promise<Message> {
  const [message] = await tx.$queryRaw<Message[]>`
    SELECT m.project_id AS "projectId", p.is_active AS "isActive"
    FROM public.webhook_messages m JOIN public.projects p ON p.id = m.project_id
    WHERE m.id = ${messageId} FOR NO KEY UPDATE OF m`;
  if (message === undefined || (onlyProject !== null && message.projectId !== onlyProject))
    throw new ServiceError('webhook_message_not_found', 'Use the message_id of a message that is kept.');
  return message;
}

async function requireEnabled(
  tx: Queries,
  { projectId, isActive }: Message,
  endpointId: string,
): Promise<void> {
  const { isEnabled } = await getWebhookEndpoint(tx, { projectId, endpointId });
  if (!isActive || !isEnabled)
    throw new ServiceError(
      'endpoint_disabled',
      `Switch the ${isActive ? 'endpoint' : 'project'} on first: nothing is sent meanwhile.`,
    );
}

/**
 * Lets a worker send a message once more, by one try, with the id and body that it has: to one endpoint, or to all enabled ones
 * that it was made for. Returns how many those are. Throws `webhook_message_not_found`, `webhook_endpoint_not_found`,
 * `endpoint_disabled`.
 */
export async function resendMessage(
  database: Database,
  { messageId, endpointId, onlyProject, actor }: Resend,
): Promise<{ endpoints: number }> {
  return database.$transaction(async (tx) => {
    const message = await lockMessage(tx, { messageId, onlyProject });
    if (endpointId !== undefined) await requireEnabled(tx, message, endpointId);
    const only = endpointId ?? null;
    // In the form that the endpoint got; one that did not hear of it gets the form that it asks for now.
    const endpoints = await tx.$executeRaw`
      INSERT INTO public.webhook_deliveries
        (message_id, endpoint_id, project_id, user_id, type, version, form, resend, next_try_at)
      SELECT m.id, e.id, m.project_id, m.user_id, m.type, m.version,
        CASE WHEN m.thin IS NULL THEN 'full' ELSE coalesce(first.form, e.payload) END,
        1 + coalesce((SELECT max(d.resend) FROM public.webhook_deliveries d
          WHERE d.message_id = m.id AND d.endpoint_id = e.id), 0), clock_timestamp()
      FROM public.webhook_messages m
      JOIN public.projects p ON p.id = m.project_id AND p.is_active
      JOIN public.webhook_endpoints e ON e.project_id = m.project_id AND e.is_enabled AND e.deleted_at IS NULL
      LEFT JOIN public.webhook_deliveries first
        ON first.message_id = m.id AND first.endpoint_id = e.id AND first.resend = 0
      WHERE m.id = ${messageId} AND CASE WHEN ${only}::text IS NULL THEN first.id IS NOT NULL ELSE e.id = ${only} END`;
    await writeAudit(tx, {
      actor,
      action: 'webhook_message.resend',
      projectId: message.projectId,
      target: { type: 'webhook_message', id: messageId },
      details: { endpoint_id: only, endpoints },
    });
    return { endpoints };
  });
}
