import { pageQuery, webhookEndpointList } from '@billing/domain';
import { getProject, listWebhookEndpoints as listRows } from '@billing/store';
import { defineEndpoint } from '../../http/define-endpoint.ts';
import { pageExample, presentPage } from '../page.ts';
import { presentWebhookEndpoint, webhookEndpointExample } from './webhook-endpoint.ts';

export const listWebhookEndpoints = defineEndpoint({
  method: 'get',
  path: '/api/v1/admin/projects/{project_id}/webhook-endpoints',
  operationId: 'listWebhookEndpoints',
  tag: 'Webhooks to products',
  summary: 'List webhook endpoints',
  access: { admin: 'viewer' },
  readsReplica: true,
  query: pageQuery,
  answers: [
    {
      status: 200,
      description: 'Oldest first, without their secrets.',
      schema: webhookEndpointList,
      example: pageExample(webhookEndpointExample),
    },
  ],
  errors: ['project_not_found'],
  handle: async ({ database, reader }, { params: { project_id: projectId }, query }) => {
    await getProject(database, projectId);
    return { body: presentPage(await listRows(reader, { projectId, ...query }), presentWebhookEndpoint) };
  },
});
