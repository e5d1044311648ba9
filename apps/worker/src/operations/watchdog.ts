import type { Logger } from '@billing/platform';
import type { Database } from '@billing/store';
import { isDatabaseAway } from '@billing/sync';
import type { Processor } from '../consume/create-consumer.ts';

export type Watchdog = {
  /** Wraps a processor so that its finished jobs are counted. */
  counted: (processor: Processor) => Processor;
  /** One check; `stuck` after too long without progress although every dependency answers. */
  look: () => Promise<'fine' | 'stuck'>;
};

export type WatchdogOptions = {
  database: Pick<Database, '$queryRaw'>;
  logger: Logger;
  /** Age of the job at the head of the queue; null: none waits, or the queue is paused. Rejects without Redis. */
  oldestWaitingMs: () => Promise<number | null>;
  /** How long a job may wait or be processed before it is suspicious. */
  mostWaitingMs?: number;
  /** How long a suspicious state must last, check after check. */
  mostIdleMs?: number;
  now?: () => number;
};

/** For how long the same value was seen, check after check; null resets it. */
function createStopwatch(now: () => number): (seen: unknown) => number {
  let last: { seen: unknown; since: number } | null = null;
  return (seen) => {
    if (seen === null) last = null;
    else if (last?.seen !== seen) last = { seen, since: now() };
    return last === null ? 0 : now() - last.since;
  };
}

/**
 * Detects a worker that runs without progress: jobs wait, Postgres and Redis answer, and still no job finishes; or one
 * job is processed far longer than all its own time limits together. The cause is unknown by definition, so the caller
 * ends the process and its supervisor starts a new one.
 */
export function createWatchdog(options: WatchdogOptions): Watchdog {
  const { database, logger, oldestWaitingMs } = options;
  const { mostWaitingMs = 300_000, mostIdleMs = 60_000, now = Date.now } = options;
  /** Oldest first. */
  const active = new Set<{ since: number }>();
  let finished = 0;
  const withoutProgress = createStopwatch(now);
  const inOneJob = createStopwatch(now);

  function hangingJob(): { since: number } | null {
    const [oldest] = active;
    return oldest !== undefined && now() - oldest.since > mostWaitingMs ? oldest : null;
  }

  /** What is suspicious: nothing while a dependency is unreachable, as jobs then wait for it. */
  async function suspicions(): Promise<{ waiting: number | null; hanging: object | null }> {
    const none = { waiting: null, hanging: null };
    // Undefined: Redis is unreachable.
    const oldestMs = await oldestWaitingMs().catch(() => undefined);
    if (oldestMs === undefined) return none;
    const isOld = oldestMs !== null && oldestMs > mostWaitingMs;
    const found = { waiting: isOld ? finished : null, hanging: hangingJob() };
    if (found.waiting === null && found.hanging === null) return none;
    return (await isDatabaseAway(database)) ? none : found;
  }

  return {
    counted: (processor) => async (job) => {
      const started = { since: now() };
      active.add(started);
      try {
        return await processor(job);
      } finally {
        active.delete(started);
        finished += 1;
      }
    },
    look: async () => {
      const { waiting, hanging } = await suspicions();
      const idleMs = Math.max(withoutProgress(waiting), inOneJob(hanging));
      if (idleMs < mostIdleMs) return 'fine';
      logger.error('watchdog_no_progress', { idle_ms: idleMs, most_waiting_ms: mostWaitingMs });
      return 'stuck';
    },
  };
}
