import type { BenchEnvironment } from '../environment/set-up.ts';
import { latenciesOf } from '../load/open-loop.ts';
import type { Latencies } from '../load/open-loop.ts';
import type { Change } from '../load/subscription-events.ts';
import { createChecker } from './scenario.ts';

const longestWaitMs = 10_000;
/** Looking costs as much as a change: only every fifth change is watched, and read no more often than the goal needs. */
export const watchedEvery = 5;
export const pauseMs = 2;

export type Seen = {
  /** From the moment at which a change was due until the answer of the first read that shows it. */
  seen: Latencies;
  /** How long that read itself took. */
  read: Latencies;
  /** How many reads looked for each watched change, with the one that found it. */
  readsPerChange: number;
};

export type Look = {
  /** Reads the user of every fifth change until its answer shows the change. */
  watch: (sent: { number: number; change: Change; since: number }) => Promise<void>;
  /** Forgets what it saw. */
  restart: () => void;
  finish: () => Seen;
};

/** Reads through the API to see changes. */
export function createLook(environment: BenchEnvironment, url: string): Look {
  const checker = createChecker(url, environment);
  const seenMs: number[] = [];
  const readMs: number[] = [];
  let reads = 0;
  const watch: Look['watch'] = async ({ number, change, since }) => {
    if (number % watchedEvery !== 0) return;
    const { userId, quantity } = change;
    for (;;) {
      const startedAt = performance.now();
      const { text } = await checker.check(userId);
      reads += 1;
      const now = performance.now();
      if (text.includes(`"quantity":${quantity},`)) {
        seenMs.push(now - since);
        readMs.push(now - startedAt);
        return;
      }
      if (now - since > longestWaitMs) throw new Error(`The change of ${userId} was not seen in time.`);
      await new Promise((resolve) => setTimeout(resolve, pauseMs));
    }
  };
  const restart = (): void => {
    for (const list of [seenMs, readMs]) list.length = 0;
    reads = 0;
  };
  return {
    watch,
    restart,
    finish: () => {
      checker.close();
      return { seen: latenciesOf(seenMs), read: latenciesOf(readMs), readsPerChange: reads / seenMs.length };
    },
  };
}
