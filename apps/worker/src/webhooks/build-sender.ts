import { createWebhookClient, createWebhookSecrets } from '@billing/platform';
import type { MaintenanceDeps } from '@billing/sync';
import type { WorkerConfig } from '../config.ts';
import type { SenderDeps } from './start-sender.ts';
import { createSenderMetrics } from './webhook-metrics.ts';

/** What delivering to products needs. */
export const buildSender = (
  { webhooks: settings }: WorkerConfig,
  { database, logger, metrics }: Pick<MaintenanceDeps, 'database' | 'logger' | 'metrics'>,
): SenderDeps => ({
  database,
  logger,
  client: createWebhookClient(settings),
  secrets: createWebhookSecrets(settings.keys),
  settings,
  counters: createSenderMetrics(metrics),
});
