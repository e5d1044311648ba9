import { setTimeout as sleep } from 'node:timers/promises';

/** Ends a wait early. What comes while nobody waits ends the next wait at once. */
export type Nudge = {
  nudge: () => void;
  wait: (ms: number, signal: AbortSignal) => Promise<void>;
};

export function createNudge(): Nudge {
  let isNudged = false;
  let waiting: AbortController | undefined;
  return {
    nudge: () => {
      isNudged = true;
      waiting?.abort();
    },
    wait: async (ms, signal) => {
      if (!isNudged && !signal.aborted) {
        const ending = new AbortController();
        const end = (): void => ending.abort();
        waiting = ending;
        signal.addEventListener('abort', end, { once: true });
        await sleep(ms, undefined, { signal: ending.signal }).catch(() => undefined);
        signal.removeEventListener('abort', end);
        waiting = undefined;
      }
      isNudged = false;
    },
  };
}
