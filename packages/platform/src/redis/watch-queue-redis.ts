import type { Logger } from '../logging/logger.ts';
import type { QueueRedisReport } from './inspect-queue-redis.ts';

export interface QueueRedisWatch {
  readonly inspect: () => Promise<QueueRedisReport>;
  readonly logger: Logger;
  /** Hears of each report. */
  readonly onReport?: (report: QueueRedisReport) => void;
}

const FIRST_AFTER_MS = 500;
/** Until Redis has answered once. */
const RETRY_EVERY_MS = 5_000;
/** Settings can be changed while Redis runs, and a failover leads to another server. */
const EVERY_MS = 30_000;

/**
 * Says loudly, once each, if the queue's Redis may evict jobs (an error) or would forget them at a restart (a
 * warning). Asks from the start on, again and again; returns what ends it.
 */
export function watchQueueRedis({ inspect, logger, onReport }: QueueRedisWatch): () => void {
  let timer: NodeJS.Timeout | undefined;
  let isEnded = false;
  let lastPolicy = 'noeviction';
  let lastPersistent = true;

  function report(found: QueueRedisReport): void {
    const { evictionPolicy, persistent } = found;
    if (evictionPolicy !== lastPolicy && evictionPolicy !== 'noeviction')
      logger.error('queue_redis_may_evict', {
        eviction_policy: evictionPolicy,
        set: 'maxmemory-policy noeviction',
      });
    if (!persistent && lastPersistent)
      logger.warn('queue_redis_not_persistent', { set: 'appendonly yes', healed_by: 'the event sweep' });
    lastPolicy = evictionPolicy;
    lastPersistent = persistent;
    onReport?.(found);
  }

  async function look(): Promise<void> {
    try {
      report(await inspect());
      schedule(EVERY_MS);
    } catch {
      schedule(RETRY_EVERY_MS);
    }
  }

  function schedule(inMs: number): void {
    if (isEnded) return;
    timer = setTimeout(() => void look(), inMs);
    timer.unref();
  }

  schedule(FIRST_AFTER_MS);
  return () => {
    isEnded = true;
    clearTimeout(timer);
  };
}
