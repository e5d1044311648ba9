import { patchWebhookEndpointRequest } from '@billing/domain';
import { getWebhookEndpoint, patchWebhookEndpoint as patchRow } from '@billing/store';
import { defineEndpoint } from '../../http/define-endpoint.ts';
import { beginTelling } from './begin-telling.ts';
import { requireAllowedUrl } from './require-allowed-url.ts';
import { presentWebhookEndpoint, webhookEndpointAnswer } from './webhook-endpoint.ts';

export const patchWebhookEndpoint = defineEndpoint({
  method: 'patch',
  path: '/api/v1/admin/projects/{project_id}/webhook-endpoints/{endpoint_id}',
  operationId: 'patchWebhookEndpoint',
  tag: 'Webhooks to products',
  summary: 'Change a webhook endpoint',
  description:
    'What is absent stays. Messages keep the form in which they were made. An endpoint that is enabled again is tried as if it had never failed.',
  access: { admin: 'admin' },
  takesDryRun: true,
  body: { schema: patchWebhookEndpointRequest, example: { is_enabled: true, payload: 'full' } },
  answers: [{ status: 200, ...webhookEndpointAnswer }],
  errors: ['webhook_endpoint_not_found', 'url_not_allowed'],
  handle: async (deps, { params, body: patch, actor }) => {
    const { database, webhookClient } = deps;
    const key = { projectId: params.project_id, endpointId: params.endpoint_id };
    await getWebhookEndpoint(database, key);
    if (patch.url !== undefined) await requireAllowedUrl(webhookClient, patch.url);
    const endpoint = await patchRow(database, { key, patch, actor });
    if (patch.is_enabled === true && patch.dry_run !== true) await beginTelling(deps, key.projectId);
    return { body: presentWebhookEndpoint(endpoint) };
  },
});
