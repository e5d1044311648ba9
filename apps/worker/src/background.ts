import { drainInvalidations } from '@billing/store';
import type { WorkerDeps } from './deps.ts';
import { startLoop } from './loop.ts';
import type { Watchdog } from './operations/watchdog.ts';
import { settleDue } from './settle/settle-due.ts';

const settleIntervalMs = 1_000;
const drainIntervalMs = 2_000;
const watchIntervalMs = 10_000;

export type BackgroundOptions = { watchdog: Watchdog; onStuck: () => void; lookEveryMs?: number | undefined };

/** What the worker does besides jobs, again and again; returns what ends it. */
export function startBackground(
  deps: WorkerDeps,
  { watchdog, onStuck, lookEveryMs = watchIntervalMs }: BackgroundOptions,
): () => Promise<unknown> {
  const { logger } = deps;
  const loops = [
    startLoop({ name: 'settle', logger, intervalMs: settleIntervalMs }, (signal) => settleDue(deps, signal)),
    startLoop({ name: 'drain', logger, intervalMs: drainIntervalMs }, async () => {
      await drainInvalidations(deps);
      return 'rest';
    }),
    startLoop({ name: 'watchdog', logger, intervalMs: lookEveryMs }, async (signal) => {
      if ((await watchdog.look()) === 'stuck' && !signal.aborted) onStuck();
      return 'rest';
    }),
  ];
  return () => Promise.all(loops.map((loop) => loop.stop()));
}
