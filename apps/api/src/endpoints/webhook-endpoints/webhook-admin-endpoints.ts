import type { Endpoint } from '../../http/define-endpoint.ts';
import { getWebhookMessage } from '../webhook-messages/get-webhook-message.ts';
import { resendWebhookMessage } from '../webhook-messages/resend-webhook-message.ts';
import { createWebhookEndpoint } from './create-webhook-endpoint.ts';
import { deleteWebhookEndpoint } from './delete-webhook-endpoint.ts';
import { getWebhookEndpoint } from './get-webhook-endpoint.ts';
import { listWebhookDeliveries } from './list-webhook-deliveries.ts';
import { listWebhookEndpoints } from './list-webhook-endpoints.ts';
import { patchWebhookEndpoint } from './patch-webhook-endpoint.ts';
import { pingWebhookEndpoint } from './ping-webhook-endpoint.ts';
import { rotateWebhookSecret } from './rotate-webhook-secret.ts';
import { startWebhookBackfill } from './start-webhook-backfill.ts';

/** Where products hear of changes, below /api/v1/admin/projects/{project_id}/webhook-endpoints; what was sent. */
export const webhookAdminEndpoints: readonly Endpoint[] = [
  listWebhookEndpoints, //       GET
  createWebhookEndpoint, //      POST
  getWebhookEndpoint, //         GET    /{endpoint_id}
  patchWebhookEndpoint, //       PATCH  /{endpoint_id}
  deleteWebhookEndpoint, //      DELETE /{endpoint_id}
  rotateWebhookSecret, //        POST   /{endpoint_id}/rotate-secret
  pingWebhookEndpoint, //        POST   /{endpoint_id}/ping
  startWebhookBackfill, //       POST   /{endpoint_id}/backfill
  listWebhookDeliveries, //      GET    /{endpoint_id}/deliveries
  getWebhookMessage, //          GET    /api/v1/admin/webhook-messages/{message_id}
  resendWebhookMessage, //       POST   /api/v1/admin/webhook-messages/{message_id}/resend
];
