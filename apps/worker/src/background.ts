import { startLoop } from '@billing/platform';
import { publishPending } from '@billing/store';
import { recheckDue } from '@billing/sync';
import type { SyncDeps } from '@billing/sync';
import type { Watchdog } from './operations/watchdog.ts';

const recheckIntervalMs = 1_000;
const publishIntervalMs = 2_000;
const watchIntervalMs = 10_000;

export type BackgroundOptions = { watchdog: Watchdog; onStuck: () => void; lookEveryMs?: number | undefined };

/** The worker's loops besides its jobs; returns a function that stops them. */
export function startBackground(
  deps: SyncDeps,
  { watchdog, onStuck, lookEveryMs = watchIntervalMs }: BackgroundOptions,
): () => Promise<unknown> {
  const { logger } = deps;
  const loops = [
    startLoop({ name: 'recheck', logger, intervalMs: recheckIntervalMs }, (signal) =>
      recheckDue(deps, signal),
    ),
    startLoop({ name: 'publish_pending', logger, intervalMs: publishIntervalMs }, async () => {
      await publishPending(deps);
      return 'rest';
    }),
    startLoop({ name: 'watchdog', logger, intervalMs: lookEveryMs }, async (signal) => {
      if ((await watchdog.look()) === 'stuck' && !signal.aborted) onStuck();
      return 'rest';
    }),
  ];
  return () => Promise.all(loops.map((loop) => loop.stop()));
}
