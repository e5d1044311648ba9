import type { Endpoint } from '../../http/define-endpoint.ts';
import { getWebhookMessage } from '../webhook-messages/get-webhook-message.ts';
import { deleteWebhookEndpoint } from './delete-webhook-endpoint.ts';
import { getWebhookEndpoint } from './get-webhook-endpoint.ts';
import { listWebhookDeliveries } from './list-webhook-deliveries.ts';
import { listWebhookEndpoints } from './list-webhook-endpoints.ts';
import { startWebhookBackfill } from './start-webhook-backfill.ts';

/** Where products hear of changes, below /api/v1/admin/projects/{project_id}/webhook-endpoints; what was sent. */
export const webhookAdminEndpoints: readonly Endpoint[] = [
  listWebhookEndpoints, //       GET
  getWebhookEndpoint, //         GET    /{endpoint_id}
  deleteWebhookEndpoint, //      DELETE /{endpoint_id}
  startWebhookBackfill, //       POST   /{endpoint_id}/backfill
  listWebhookDeliveries, //      GET    /{endpoint_id}/deliveries
  getWebhookMessage, //          GET    /api/v1/admin/webhook-messages/{message_id}
];
