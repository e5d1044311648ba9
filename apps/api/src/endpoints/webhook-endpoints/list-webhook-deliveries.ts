import { webhookDeliveriesQuery, webhookDeliveryList, webhookDeliveryOut } from '@billing/domain';
import type { WebhookDeliveryOut } from '@billing/domain';
import { getWebhookEndpoint, listWebhookDeliveries as listRows } from '@billing/store';
import type { WebhookDelivery } from '@billing/store';
import { defineEndpoint } from '../../http/define-endpoint.ts';
import { pageExample, presentPage } from '../page.ts';

const { status } = webhookDeliveryOut.shape;

const presentDelivery = (row: WebhookDelivery): WebhookDeliveryOut => ({
  delivery_id: String(row.id),
  message_id: row.messageId,
  type: row.type,
  user_id: row.userId,
  version: row.version === null ? null : Number(row.version),
  status: status.parse(row.status),
  attempts: row.attempts,
  next_try_at: row.nextTryAt?.toISOString() ?? null,
  created_at: row.createdAt.toISOString(),
});

export const listWebhookDeliveries = defineEndpoint({
  method: 'get',
  path: '/api/v1/admin/projects/{project_id}/webhook-endpoints/{endpoint_id}/deliveries',
  operationId: 'listWebhookDeliveries',
  tag: 'Webhooks to products',
  summary: 'What was sent to an endpoint, and what waits',
  description: 'Kept for `WEBHOOK_RETENTION_DAYS`. The tries of a message are at the message.',
  access: { admin: 'viewer' },
  readsReplica: true,
  query: webhookDeliveriesQuery,
  answers: [
    {
      status: 200,
      description: 'Newest first.',
      schema: webhookDeliveryList,
      example: pageExample({
        delivery_id: '4711',
        message_id: 'msg_2b9c',
        type: 'entitlements.changed',
        user_id: 'user_1',
        version: 8,
        status: 'pending',
        attempts: 1,
        next_try_at: '2026-11-22T10:00:05.000Z',
        created_at: '2026-11-22T10:00:00.000Z',
      }),
    },
  ],
  errors: ['webhook_endpoint_not_found'],
  handle: async ({ database, reader }, { params, query }) => {
    const key = { projectId: params.project_id, endpointId: params.endpoint_id };
    await getWebhookEndpoint(database, key);
    return { body: presentPage(await listRows(reader, { ...key, ...query }), presentDelivery) };
  },
});
