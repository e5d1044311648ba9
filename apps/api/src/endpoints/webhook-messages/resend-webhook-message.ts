import { resendWebhookRequest, resentWebhook } from '@billing/domain';
import { resendMessage } from '@billing/store';
import { defineEndpoint } from '../../http/define-endpoint.ts';

export const resendWebhookMessage = defineEndpoint({
  method: 'post',
  path: '/api/v1/admin/webhook-messages/{message_id}/resend',
  operationId: 'resendWebhookMessage',
  tag: 'Webhooks to products',
  summary: 'Send a message once more',
  description:
    'One try, with the id and body that it has and `webhook-resend: true`. To one endpoint, also one that was made later, or to all enabled ones that it was made for. Its outcome is among the attempts of the message.',
  access: { admin: 'operator', limitedBy: 'handler' },
  body: { schema: resendWebhookRequest, example: { endpoint_id: 'whe_5b1e' } },
  answers: [
    {
      status: 202,
      description: 'A worker sends it now.',
      schema: resentWebhook,
      example: { message_id: 'msg_2b9c', endpoints: 1 },
    },
  ],
  errors: ['webhook_message_not_found', 'webhook_endpoint_not_found', 'endpoint_disabled'],
  handle: async ({ database }, { params, body, actor, onlyProject }) => {
    const { message_id: messageId } = params;
    const order = { messageId, endpointId: body.endpoint_id, onlyProject, actor };
    const { endpoints } = await resendMessage(database, order);
    return { body: { message_id: messageId, endpoints } };
  },
});
