import { webhookEndpointOut } from '@billing/domain';
import type { WebhookEndpointOut } from '@billing/domain';
import type { WebhookEndpoint } from '@billing/store';
import { datesExample, presentDates } from '../page.ts';

const { payload, delivery, disabled_reason: disabledReason } = webhookEndpointOut.shape;

/** An endpoint without its secret. */
export const presentWebhookEndpoint = (row: WebhookEndpoint): WebhookEndpointOut => ({
  endpoint_id: row.id,
  project_id: row.projectId,
  url: row.url,
  event_types: row.eventTypes,
  payload: payload.parse(row.payload),
  delivery: delivery.parse(row.delivery),
  description: row.description,
  status: row.isEnabled ? 'enabled' : 'disabled',
  disabled_reason: disabledReason.parse(row.disabledReason),
  last_success_at: row.lastSuccessAt?.toISOString() ?? null,
  failing_since: row.failingSince?.toISOString() ?? null,
  previous_secret_until: row.previousUntil?.toISOString() ?? null,
  ...presentDates(row),
});

export const webhookEndpointExample = {
  endpoint_id: 'whe_5b1e',
  project_id: 'shop',
  url: 'https://shop.example.com/billing-webhooks',
  event_types: ['*'],
  payload: 'full',
  delivery: 'latest',
  description: null,
  status: 'enabled',
  disabled_reason: null,
  last_success_at: '2026-11-22T10:00:00.000Z',
  failing_since: null,
  previous_secret_until: null,
  ...datesExample,
};

export const secretExample = 'whsec_ExampleOfASecret';

export const webhookEndpointAnswer = {
  description: 'The endpoint, without its secret.',
  schema: webhookEndpointOut,
  example: webhookEndpointExample,
};
