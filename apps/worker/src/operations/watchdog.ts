import type { Logger } from '@billing/platform';
import type { Database } from '@billing/store';
import type { Processor } from '../consume/create-consumer.ts';
import { isDatabaseAway } from '@billing/sync';

export type Watchdog = {
  /** Counts what a processor gets done. */
  counted: (processor: Processor) => Processor;
  /** One look; `stuck` once nothing, or one job, was not done for too long though all that it takes is there. */
  look: () => Promise<'fine' | 'stuck'>;
};

export type WatchdogOptions = {
  database: Pick<Database, '$queryRaw'>;
  logger: Logger;
  /** Age of the job at the head of the queue; null: none waits, or the queue is paused. Rejects without Redis. */
  oldestWaitingMs: () => Promise<number | null>;
  /** A job may wait, or be in hand, that long before anybody worries. */
  mostWaitingMs?: number;
  /** Nothing done for that long, look after look, is no busy worker any more. */
  mostIdleMs?: number;
  now?: () => number;
};

/** Says for how long the same thing was seen, look after look; null is nothing to see. */
function createStopwatch(now: () => number): (seen: unknown) => number {
  let last: { seen: unknown; since: number } | null = null;
  return (seen) => {
    if (seen === null) last = null;
    else if (last?.seen !== seen) last = { seen, since: now() };
    return last === null ? 0 : now() - last.since;
  };
}

/**
 * Notices a worker that lives and does nothing: jobs wait, Postgres and Redis answer, and still not one gets
 * done; or one job stays in hand, while others come and go, far longer than all its own limits together. What is
 * wrong with such a process nobody foresaw; a new one is the cure, so the caller ends it.
 */
export function createWatchdog(options: WatchdogOptions): Watchdog {
  const { database, logger, oldestWaitingMs } = options;
  const { mostWaitingMs = 300_000, mostIdleMs = 60_000, now = Date.now } = options;
  /** Oldest first. */
  const inHand = new Set<{ since: number }>();
  let finished = 0;
  const withoutProgress = createStopwatch(now);
  const inOneJob = createStopwatch(now);

  function longestInHand(): { since: number } | null {
    const [oldest] = inHand;
    return oldest !== undefined && now() - oldest.since > mostWaitingMs ? oldest : null;
  }

  /** What there is to worry about: nothing where a dependency is away, as then all waits are right. */
  async function worries(): Promise<{ waiting: number | null; hanging: object | null }> {
    const none = { waiting: null, hanging: null };
    // Undefined: Redis is away.
    const oldestMs = await oldestWaitingMs().catch(() => undefined);
    if (oldestMs === undefined) return none;
    const isOld = oldestMs !== null && oldestMs > mostWaitingMs;
    const found = { waiting: isOld ? finished : null, hanging: longestInHand() };
    if (found.waiting === null && found.hanging === null) return none;
    return (await isDatabaseAway(database)) ? none : found;
  }

  return {
    counted: (processor) => async (job) => {
      const hand = { since: now() };
      inHand.add(hand);
      try {
        return await processor(job);
      } finally {
        inHand.delete(hand);
        finished += 1;
      }
    },
    look: async () => {
      const { waiting, hanging } = await worries();
      const idleMs = Math.max(withoutProgress(waiting), inOneJob(hanging));
      if (idleMs < mostIdleMs) return 'fine';
      logger.error('watchdog_no_progress', { idle_ms: idleMs, most_waiting_ms: mostWaitingMs });
      return 'stuck';
    },
  };
}
