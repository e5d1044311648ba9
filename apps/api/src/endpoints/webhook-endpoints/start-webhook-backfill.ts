import { runAccepted } from '@billing/domain';
import { requestBackfill } from '@billing/store';
import { z } from 'zod';
import { defineEndpoint } from '../../http/define-endpoint.ts';

export const startWebhookBackfill = defineEndpoint({
  method: 'post',
  path: '/api/v1/admin/projects/{project_id}/webhook-endpoints/{endpoint_id}/backfill',
  operationId: 'startWebhookBackfill',
  tag: 'Webhooks to products',
  summary: 'Tell an endpoint the state of every user',
  description:
    'Once, those without access too, at `WEBHOOK_FANOUT_PER_SECOND`; a user who changes meanwhile is told at once. A run of the worker.',
  access: { admin: 'operator' },
  body: { schema: z.strictObject({}), example: {} },
  answers: [{ status: 202, description: 'Started.', schema: runAccepted, example: { run_id: 'run_5b1e' } }],
  errors: ['webhook_endpoint_not_found', 'endpoint_disabled', 'backfill_running'],
  handle: async ({ database }, { params: { project_id: projectId, endpoint_id: endpointId }, actor }) => {
    const { runId } = await requestBackfill(database, { key: { projectId, endpointId }, actor });
    return { body: { run_id: runId } };
  },
});
