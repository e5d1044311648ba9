import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from './logging/logger.ts';

export type LoopOptions = {
  readonly name: string;
  readonly logger: Logger;
  /** Pause between two turns, ±25 %. */
  readonly intervalMs: number;
};

/** `stop` aborts the signal and resolves when the current turn has ended. */
export type Loop = { readonly stop: () => Promise<void> };

/**
 * Runs `work` until stopped. `again`: the next turn follows at once; `rest`: after a pause. Errors are logged once
 * for each series of failures, and the loop goes on.
 */
export function startLoop(
  { name, logger, intervalMs }: LoopOptions,
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
