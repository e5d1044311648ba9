import type { Logger } from './logging/logger.ts';
import { setTimeout as sleep } from 'node:timers/promises';

export type Loop = { stop: () => Promise<void> };

/**
 * Runs `work` again and again with a pause, until stopped. `work` says how soon it wants to go on; an
 * error is logged once and the loop goes on.
 */
export function startLoop(
  { name, logger, intervalMs }: { name: string; logger: Logger; intervalMs: number },
  work: (signal: AbortSignal) => Promise<'again' | 'rest'>,
): Loop {
  const stopping = new AbortController();
  const { signal } = stopping;
  let isFailing = false;

  async function turn(): Promise<'again' | 'rest'> {
    try {
      const next = await work(signal);
      isFailing = false;
      return next;
    } catch (error) {
      if (!isFailing) logger.warn('loop_failing', { loop: name, error });
      isFailing = true;
      return 'rest';
    }
  }

  async function run(): Promise<void> {
    while (!signal.aborted) {
      if ((await turn()) === 'again') continue;
      const pauseMs = intervalMs * (0.75 + Math.random() / 2);
      await sleep(pauseMs, undefined, { signal }).catch(() => undefined);
    }
  }
  const running = run();
  return {
    stop: async () => {
      stopping.abort();
      await running;
    },
  };
}
