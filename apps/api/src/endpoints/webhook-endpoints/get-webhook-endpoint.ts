import { getWebhookEndpoint as getRow } from '@billing/store';
import { defineEndpoint } from '../../http/define-endpoint.ts';
import { presentWebhookEndpoint, webhookEndpointAnswer } from './webhook-endpoint.ts';

export const getWebhookEndpoint = defineEndpoint({
  method: 'get',
  path: '/api/v1/admin/projects/{project_id}/webhook-endpoints/{endpoint_id}',
  operationId: 'getWebhookEndpoint',
  tag: 'Webhooks to products',
  summary: 'Read a webhook endpoint',
  access: { admin: 'viewer' },
  answers: [{ status: 200, ...webhookEndpointAnswer }],
  errors: ['webhook_endpoint_not_found'],
  handle: async ({ database }, { params: { project_id: projectId, endpoint_id: endpointId } }) => ({
    body: presentWebhookEndpoint(await getRow(database, { projectId, endpointId })),
  }),
});
