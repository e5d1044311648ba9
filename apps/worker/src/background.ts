import { publishPending } from '@billing/store';
import type { SyncDeps } from '@billing/sync';
import { startLoop } from '@billing/platform';
import type { Watchdog } from './operations/watchdog.ts';
import { recheckDue } from '@billing/sync';

const recheckIntervalMs = 1_000;
const drainIntervalMs = 2_000;
const watchIntervalMs = 10_000;

export type BackgroundOptions = { watchdog: Watchdog; onStuck: () => void; lookEveryMs?: number | undefined };

/** What the worker does besides jobs, again and again; returns what ends it. */
export function startBackground(
  deps: SyncDeps,
  { watchdog, onStuck, lookEveryMs = watchIntervalMs }: BackgroundOptions,
): () => Promise<unknown> {
  const { logger } = deps;
  const loops = [
    startLoop({ name: 'settle', logger, intervalMs: recheckIntervalMs }, (signal) =>
      recheckDue(deps, signal),
    ),
    startLoop({ name: 'drain', logger, intervalMs: drainIntervalMs }, async () => {
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
