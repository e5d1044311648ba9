import type { Queries } from '../create-database.ts';
import { discardDeliveries } from './discard-deliveries.ts';
import { endFanOuts } from './fan-outs.ts';
import type { WebhookEndpointKey } from './find-endpoint.ts';
import { stopTelling } from './start-telling.ts';

/**
 * What follows when an endpoint was disabled or deleted: what waits for it is discarded, its backfill ends, and with the last one
 * the project's telling.
 */
export async function leaveEndpoint(tx: Queries, key: WebhookEndpointKey): Promise<void> {
  await discardDeliveries(tx, key);
  await endFanOuts(tx, key, 'the endpoint was disabled');
  await stopTelling(tx, key.projectId);
}
