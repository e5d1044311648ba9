import type { Clock } from '@billing/domain';
import type { RedisClient } from '@billing/platform';
import { setTimeout as sleep } from 'node:timers/promises';
import { takeScript, throttleScript } from './budget-script.ts';
import { createLocalBucket } from './local-bucket.ts';

/** `urgent`: an event or a row waits for the answer. `background`: the sweep and reconcile. */
export type ReadPriority = 'urgent' | 'background';

/** Permission for reads from Stripe, and what Stripe said of them. */
export type ReadBudget = {
  /** Waits for a place; false: spent for now. */
  take: (priority?: ReadPriority, signal?: AbortSignal) => Promise<boolean>;
  /** Stripe answered 429; `retryAfterMs` as it said, if it did. */
  throttle: (retryAfterMs?: number | null) => Promise<void>;
};

/** An event in doubt rather keeps its best snapshot than waits long; a page of a list has time. */
const maxWaitMs: Record<ReadPriority, number> = { urgent: 1_500, background: 10_000 };

/** Without a word from Stripe; and the most that a wrong answer can make us wait. */
const throttlePauseMs = { byDefault: 1_000, most: 60_000 };

type BudgetOptions = {
  redis: RedisClient;
  prefix: string;
  perSecond: number;
  clock: Clock;
};

/**
 * The budget of Stripe reads, shared by all workers through Redis; without Redis each process keeps it by
 * itself. Checkouts, which people wait for, are not in it.
 */
export function createReadBudget({ redis, prefix, perSecond, clock }: BudgetOptions): ReadBudget {
  // In braces: one slot of a Redis Cluster.
  const key = `{${prefix}:stripe-reads}`;
  const own = createLocalBucket(perSecond, clock);

  async function ask(priority: ReadPriority): Promise<number> {
    if (redis.status !== 'ready') return own.take();
    try {
      return Number(await redis.eval(takeScript, 1, key, perSecond, priority));
    } catch {
      return own.take();
    }
  }

  return {
    take: async (priority = 'urgent', signal) => {
      const givesUpAt = performance.now() + maxWaitMs[priority];
      for (;;) {
        if (signal?.aborted === true) return false;
        const waitMs = await ask(priority);
        if (waitMs <= 0) return true;
        // A little more each, so that those who wait do not all come back at once.
        const pauseMs = Math.min(waitMs, 500) + Math.random() * 50;
        if (performance.now() + Math.max(waitMs, pauseMs) > givesUpAt) return false;
        await sleep(pauseMs, undefined, signal === undefined ? {} : { signal }).catch(() => undefined);
      }
    },
    throttle: async (retryAfterMs) => {
      const pauseMs = Math.min(
        throttlePauseMs.most,
        Math.max(0, retryAfterMs ?? throttlePauseMs.byDefault) * (1 + Math.random() / 4),
      );
      own.throttle(pauseMs);
      if (redis.status !== 'ready') return;
      await redis.eval(throttleScript, 1, key, Math.round(pauseMs)).catch(() => undefined);
    },
  };
}
