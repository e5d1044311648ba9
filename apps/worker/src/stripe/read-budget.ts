import type { Clock } from '@billing/domain';
import type { connectRedis } from '@billing/platform';
import { setTimeout as sleep } from 'node:timers/promises';

/** Permission for one read from Stripe. */
export type ReadBudget = { take: () => Promise<boolean> };

/** Counts in the second of Redis's own clock, so that all workers share one count. */
const takeScript = `
local second = redis.call('TIME')[1]
local key = KEYS[1] .. second
local used = redis.call('INCR', key)
if used == 1 then redis.call('EXPIRE', key, 5) end
return used`;

const maxWaitMs = 1_500;

/**
 * The budget of Stripe reads, shared by all workers through Redis. Waits a moment for a place in the next
 * second; false: spent. Without Redis each process keeps the budget by itself.
 */
export function createReadBudget(options: {
  redis: ReturnType<typeof connectRedis>;
  prefix: string;
  perSecond: number;
  clock: Clock;
}): ReadBudget {
  const { redis, perSecond, clock } = options;
  // In braces: one slot of a Redis Cluster.
  const key = `{${options.prefix}:stripe-reads}:`;
  let own = { second: 0, used: 0 };

  function takeAlone(): number {
    const second = Math.floor(clock() / 1000);
    own = own.second === second ? { second, used: own.used + 1 } : { second, used: 1 };
    return own.used;
  }

  async function used(): Promise<number> {
    if (redis.status !== 'ready') return takeAlone();
    try {
      return Number(await redis.eval(takeScript, 1, key));
    } catch {
      return takeAlone();
    }
  }

  return {
    take: async () => {
      for (let waitedMs = 0; ;) {
        if ((await used()) <= perSecond) return true;
        const pauseMs = 200 + Math.random() * 300;
        if (waitedMs + pauseMs > maxWaitMs) return false;
        await sleep(pauseMs);
        waitedMs += pauseMs;
      }
    },
  };
}
