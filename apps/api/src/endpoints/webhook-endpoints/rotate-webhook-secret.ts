import { rotatedWebhookSecret, rotateWebhookSecretRequest } from '@billing/domain';
import { rotateWebhookSecret as rotateRow } from '@billing/store';
import { defineEndpoint } from '../../http/define-endpoint.ts';
import { secretExample } from './webhook-endpoint.ts';
import { newestSecret, requireKeyId } from './webhook-secrets.ts';

export const rotateWebhookSecret = defineEndpoint({
  method: 'post',
  path: '/api/v1/admin/projects/{project_id}/webhook-endpoints/{endpoint_id}/rotate-secret',
  operationId: 'rotateWebhookSecret',
  tag: 'Webhooks to products',
  summary: 'Replace the secret of a webhook endpoint',
  description:
    'Until the overlap ends messages are signed by both, so that receivers verify with either. A second rotation meanwhile keeps the newest two.',
  access: { admin: 'admin' },
  takesDryRun: true,
  body: { schema: rotateWebhookSecretRequest, example: { overlap_hours: 24 } },
  answers: [
    {
      status: 200,
      description: 'Replaced. `secret` is shown this once.',
      schema: rotatedWebhookSecret,
      example: { endpoint_id: 'whe_5b1e', secret: secretExample },
    },
  ],
  errors: ['webhook_endpoint_not_found', 'webhooks_not_configured'],
  handle: async ({ database, webhookSecrets, clock }, { params, body, actor }) => {
    const key = { projectId: params.project_id, endpointId: params.endpoint_id };
    const keyId = requireKeyId(webhookSecrets);
    const rotation = { key, overlapHours: body.overlap_hours, keyId, now: clock(), actor };
    const endpoint = await rotateRow(database, rotation);
    return { body: { endpoint_id: endpoint.id, secret: newestSecret(webhookSecrets, endpoint) } };
  },
});
