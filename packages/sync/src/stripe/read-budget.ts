import type { Clock } from '@billing/domain';
import type { RedisClient } from '@billing/platform';
import { setTimeout as sleep } from 'node:timers/promises';
import { lookScript, takeScript, throttleScript } from './budget-script.ts';

/** `urgent`: an event or a row waits for the answer. `background`: the sweep, reconcile and import. */
export type ReadPriority = 'urgent' | 'background';

/** Permission for reads from Stripe. */
export type ReadBudget = {
  /** Waits until a read is allowed; false: the budget is spent for now. */
  take: (priority?: ReadPriority, signal?: AbortSignal) => Promise<boolean>;
  /** Stripe answered 429; `retryAfterMs` as its answer says, if it does. */
  throttle: (retryAfterMs?: number | null) => Promise<void>;
  /** What is left, all workers together; null: Redis does not say. */
  look: () => Promise<BudgetState | null>;
};

export type BudgetState = {
  perSecond: number;
  /** Less than that after Stripe answered 429. */
  allowedPerSecond: number;
  /** Reads that may be made at once. */
  available: number;
};

/** An event rather keeps its best known state than waits long; a page of a list has time. */
const maxWaitMs: Record<ReadPriority, number> = { urgent: 1_500, background: 10_000 };

/** Where Stripe names no pause; and the longest that a wrong answer can cause. */
const throttlePauseMs = { byDefault: 1_000, most: 60_000 };

type BudgetOptions = {
  redis: RedisClient;
  prefix: string;
  perSecond: number;
  clock: Clock;
  /** What is counted; default: reads from Stripe. */
  name?: string;
};

/**
 * The budget of Stripe reads, shared by all workers through Redis; without Redis each process keeps its own. Checkouts,
 * which people wait for, are not counted.
 */
export function createReadBudget({
  redis,
  prefix,
  perSecond,
  clock,
  name = 'stripe-reads',
}: BudgetOptions): ReadBudget {
  // In braces: one slot of a Redis Cluster.
  const key = `{${prefix}:${name}}`;
  const local = createLocalBucket(perSecond, clock);

  async function ask(priority: ReadPriority): Promise<number> {
    if (redis.status !== 'ready') return local.take();
    try {
      return Number(await redis.eval(takeScript, 1, key, perSecond, priority));
    } catch {
      return local.take();
    }
  }

  return {
    take: async (priority = 'urgent', signal) => {
      const givesUpAt = performance.now() + maxWaitMs[priority];
      for (;;) {
        if (signal?.aborted === true) return false;
        const waitMs = await ask(priority);
        if (waitMs <= 0) return true;
        // With jitter, so that those who wait do not all come back at once.
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
      local.throttle(pauseMs);
      if (redis.status !== 'ready') return;
      await redis.eval(throttleScript, 1, key, Math.round(pauseMs)).catch(() => undefined);
    },
    look: async () => {
      if (redis.status !== 'ready') return null;
      const left: unknown = await redis.eval(lookScript, 1, key, perSecond).catch(() => null);
      if (!Array.isArray(left)) return null;
      const [allowedPerSecond = 0, available = 0] = left.map(Number);
      return { perSecond, allowedPerSecond, available };
    },
  };
}

/** The rule of `budget-script.ts` for one process, without priorities. */
function createLocalBucket(perSecond: number, clock: Clock) {
  let at = clock();
  let tokens = perSecond;
  let factor = 1;
  let halvedAt = Number.NEGATIVE_INFINITY;
  let pausedUntil = 0;

  function refill(now: number): number {
    const elapsed = Math.max(0, now - at) / 1000;
    factor = Math.min(1, factor + elapsed * 0.02);
    const rate = perSecond * factor;
    tokens = Math.min(Math.max(1, rate), tokens + elapsed * rate);
    at = now;
    return rate;
  }

  return {
    /** 0: allowed; else how many ms to wait. */
    take: (): number => {
      const now = clock();
      const rate = refill(now);
      if (now < pausedUntil) return pausedUntil - now;
      if (tokens < 1) return Math.ceil(((1 - tokens) / rate) * 1000);
      tokens -= 1;
      return 0;
    },
    throttle: (pauseMs: number): void => {
      const now = clock();
      refill(now);
      if (now - halvedAt >= 1000) {
        factor = Math.max(0.05, factor / 2);
        halvedAt = now;
      }
      tokens = 0;
      pausedUntil = Math.max(pausedUntil, now + pauseMs);
    },
  };
}

/** The same dependencies with reads that give way to those that an event waits for. */
export const inBackground = <D extends { budget: ReadBudget; signal?: AbortSignal }>(deps: D): D => ({
  ...deps,
  budget: { ...deps.budget, take: () => deps.budget.take('background', deps.signal) },
});
