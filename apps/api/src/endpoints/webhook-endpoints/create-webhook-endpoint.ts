import { createdWebhookEndpoint, createWebhookEndpointRequest } from '@billing/domain';
import { createWebhookEndpoint as createRow, getProject } from '@billing/store';
import { defineEndpoint } from '../../http/define-endpoint.ts';
import { beginTelling } from './begin-telling.ts';
import { requireAllowedUrl } from './require-allowed-url.ts';
import { presentWebhookEndpoint, secretExample, webhookEndpointExample } from './webhook-endpoint.ts';
import { newestSecret, requireKeyId } from './webhook-secrets.ts';

export const createWebhookEndpoint = defineEndpoint({
  method: 'post',
  path: '/api/v1/admin/projects/{project_id}/webhook-endpoints',
  operationId: 'createWebhookEndpoint',
  tag: 'Webhooks to products',
  summary: 'Create a webhook endpoint',
  description:
    'From now on it is told what changes; the state of all users is told by a backfill. At most 10 a project; the same URL may be there twice.',
  access: { admin: 'admin' },
  takesDryRun: true,
  body: {
    schema: createWebhookEndpointRequest,
    example: { url: 'https://shop.example.com/billing-webhooks', event_types: ['entitlements.changed'] },
  },
  answers: [
    {
      status: 201,
      description: 'Created. `secret` is shown this once.',
      schema: createdWebhookEndpoint,
      example: { ...webhookEndpointExample, last_success_at: null, secret: secretExample },
    },
  ],
  errors: ['project_not_found', 'url_not_allowed', 'too_many_endpoints', 'webhooks_not_configured'],
  handle: async (deps, { params: { project_id: projectId }, body, actor }) => {
    const { database, webhookSecrets, webhookClient } = deps;
    await getProject(database, projectId);
    const keyId = requireKeyId(webhookSecrets);
    await requireAllowedUrl(webhookClient, body.url);
    const endpoint = await createRow(database, { projectId, request: body, keyId, actor });
    if (body.dry_run !== true) await beginTelling(deps, projectId);
    return { body: { ...presentWebhookEndpoint(endpoint), secret: newestSecret(webhookSecrets, endpoint) } };
  },
});
