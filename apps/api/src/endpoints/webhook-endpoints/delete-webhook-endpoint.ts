import { dryRunQuery } from '@billing/domain';
import { deleteWebhookEndpoint as deleteRow } from '@billing/store';
import { defineEndpoint } from '../../http/define-endpoint.ts';

export const deleteWebhookEndpoint = defineEndpoint({
  method: 'delete',
  path: '/api/v1/admin/projects/{project_id}/webhook-endpoints/{endpoint_id}',
  operationId: 'deleteWebhookEndpoint',
  tag: 'Webhooks to products',
  summary: 'Delete a webhook endpoint',
  description: 'For good. What waits to be sent is discarded; what is under way may still arrive.',
  access: { admin: 'admin' },
  takesDryRun: true,
  query: dryRunQuery,
  answers: [{ status: 204, description: 'Deleted.' }],
  errors: ['webhook_endpoint_not_found'],
  handle: async ({ database }, { params: { project_id: projectId, endpoint_id: endpointId }, actor }) => {
    await deleteRow(database, { key: { projectId, endpointId }, actor });
    return { body: undefined };
  },
});
