import { randomUUID } from 'node:crypto';
import { toTimestamp, webhookPingOut } from '@billing/domain';
import { getWebhookEndpoint, recordPing } from '@billing/store';
import { z } from 'zod';
import { defineEndpoint } from '../../http/define-endpoint.ts';
import { attemptExample, presentAttempt } from '../webhook-messages/webhook-attempt.ts';
import { livingSecrets } from './webhook-secrets.ts';

export const pingWebhookEndpoint = defineEndpoint({
  method: 'post',
  path: '/api/v1/admin/projects/{project_id}/webhook-endpoints/{endpoint_id}/ping',
  operationId: 'pingWebhookEndpoint',
  tag: 'Webhooks to products',
  summary: 'Try a webhook endpoint',
  description:
    'Sends `webhook.ping` now and once, whatever the endpoint asks for, also to one that is disabled. Its outcome changes nothing.',
  access: { admin: 'operator' },
  body: { schema: z.strictObject({}), example: {} },
  answers: [
    {
      status: 200,
      description: 'What the endpoint answered, or why there is no answer.',
      schema: webhookPingOut,
      example: { ...attemptExample, message_id: 'msg_2b9c' },
    },
  ],
  errors: ['webhook_endpoint_not_found', 'webhooks_not_configured'],
  handle: async (deps, { params, actor }) => {
    const { database, webhookSecrets, webhookClient, clock } = deps;
    const key = { projectId: params.project_id, endpointId: params.endpoint_id };
    const endpoint = await getWebhookEndpoint(database, key);
    const secrets = livingSecrets(webhookSecrets, endpoint, clock());
    const messageId = `msg_${randomUUID().replaceAll('-', '')}`;
    const body = JSON.stringify({
      type: 'webhook.ping',
      timestamp: toTimestamp(clock()),
      data: { project_id: key.projectId, endpoint_id: key.endpointId },
    });
    const attempt = await webhookClient.post({ url: endpoint.url, messageId, body, secrets });
    await recordPing(database, { key, messageId, body, attempt, actor });
    const shown = presentAttempt({ ...attempt, endpointId: endpoint.id });
    return { body: { ...shown, message_id: messageId } };
  },
});
