import type { Logger } from '@billing/platform';
import type { Database } from '@billing/store';
import type { Processor } from '../consume.ts';
import { isDatabaseAway } from '../outage.ts';

export type Watchdog = {
  /** Counts what a processor gets done. */
  counted: (processor: Processor) => Processor;
  /** One look; `stuck` once nothing was done for too long though everything that it takes is there. */
  look: () => Promise<'fine' | 'stuck'>;
};

export type WatchdogOptions = {
  database: Pick<Database, '$queryRaw'>;
  logger: Logger;
  /** Age of the job at the head of the queue; null: none waits, or the queue is paused. Rejects without Redis. */
  oldestWaitingMs: () => Promise<number | null>;
  /** A job may wait that long before anybody worries. */
  mostWaitingMs?: number;
  /** Nothing done for that long, look after look, is no busy worker any more. */
  mostIdleMs?: number;
  now?: () => number;
};

/**
 * Notices a worker that lives and does nothing: jobs wait, Postgres and Redis answer, and still not one gets
 * done. What is wrong with such a process nobody foresaw; a new one is the cure, so the caller ends it.
 */
export function createWatchdog(options: WatchdogOptions): Watchdog {
  const { database, logger, oldestWaitingMs } = options;
  const { mostWaitingMs = 300_000, mostIdleMs = 60_000, now = Date.now } = options;
  let finished = 0;
  let last: { finished: number; since: number } | null = null;

  async function isWorkWaiting(): Promise<boolean> {
    const oldestMs = await oldestWaitingMs().catch(() => null);
    return oldestMs !== null && oldestMs > mostWaitingMs && !(await isDatabaseAway(database));
  }

  return {
    counted: (processor) => async (job) => {
      try {
        return await processor(job);
      } finally {
        finished += 1;
      }
    },
    look: async () => {
      if (!(await isWorkWaiting()) || (last !== null && last.finished !== finished)) {
        last = null;
        return 'fine';
      }
      last ??= { finished, since: now() };
      const idleMs = now() - last.since;
      if (idleMs < mostIdleMs) return 'fine';
      logger.error('watchdog_no_progress', { idle_ms: idleMs, most_waiting_ms: mostWaitingMs });
      return 'stuck';
    },
  };
}
