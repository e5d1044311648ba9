import { countWebhooks } from '@billing/store';
import type { SenderDeps } from './start-sender.ts';

type Deps = Pick<SenderDeps, 'database' | 'secrets' | 'counters' | 'logger'>;

/** Sets the gauges of what is to be delivered; a key that is missing is logged when it begins to be. */
export function createWebhookCounts({ database, secrets, counters, logger }: Deps): () => Promise<'rest'> {
  let lacked = 0;
  return async () => {
    const { due, enabled, disabled, keyMissing, gone, failing } = await countWebhooks(database, secrets);
    counters.due.set(due);
    counters.endpoints.set({ state: 'enabled' }, enabled);
    counters.endpoints.set({ state: 'disabled' }, disabled);
    counters.endpoints.set({ state: 'key_missing' }, keyMissing);
    counters.givenUp.set({ reason: 'gone' }, gone);
    counters.givenUp.set({ reason: 'failing' }, failing);
    if (keyMissing > 0 && lacked === 0) logger.error('webhook_key_missing', { endpoints: keyMissing });
    lacked = keyMissing;
    return 'rest';
  };
}
