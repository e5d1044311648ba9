import { webhookMessageOut } from '@billing/domain';
import type { WebhookBody } from '@billing/domain';
import { findWebhookAttempts, getWebhookMessage as getRow } from '@billing/store';
import { defineEndpoint } from '../../http/define-endpoint.ts';
import { changedMessageExample } from '../../openapi/webhook-examples.ts';
import { attemptExample, presentAttempt } from './webhook-attempt.ts';

export const getWebhookMessage = defineEndpoint({
  method: 'get',
  path: '/api/v1/admin/webhook-messages/{message_id}',
  operationId: 'getWebhookMessage',
  tag: 'Webhooks to products',
  summary: 'A message, and every try to send it',
  access: { admin: 'viewer', limitedBy: 'handler' },
  answers: [
    {
      status: 200,
      description: 'The message in its full form, whichever form an endpoint gets.',
      schema: webhookMessageOut,
      example: {
        message_id: 'msg_2b9c',
        project_id: 'shop',
        type: 'entitlements.changed',
        created_at: '2026-11-22T10:00:00.000Z',
        payload: changedMessageExample,
        attempts: [attemptExample],
      },
    },
  ],
  errors: ['webhook_message_not_found'],
  handle: async ({ database }, { params: { message_id: messageId }, onlyProject }) => {
    const message = await getRow(database, { messageId, onlyProject });
    const payload: WebhookBody = JSON.parse(message.full);
    const attempts = await findWebhookAttempts(database, messageId);
    return {
      body: {
        message_id: message.id,
        project_id: message.projectId,
        type: message.type,
        created_at: message.createdAt.toISOString(),
        payload,
        attempts: attempts.map(presentAttempt),
      },
    };
  },
});
