import type { RedisClient } from './connect-redis.ts';

/** Different rates that are counted here while Redis is away. */
const maxRates = 1_000;

/** `remaining`: how many more would pass now; `resetMs`: until the whole allowance is available again. */
export type RateDecision = {
  readonly isAllowed: boolean;
  readonly limit: number;
  readonly remaining: number;
  readonly resetMs: number;
  readonly retryAfterMs: number;
};

export type RateLimiterOptions = {
  readonly redis: RedisClient;
  /** Before the keys in Redis. */
  readonly prefix: string;
};

export type RateLimiter = {
  /** Counts one of `perSecond` a second, and at once after a pause. Never throws. */
  readonly take: (key: string, perSecond: number) => Promise<RateDecision>;
};

// GCRA: one number per key, the moment at which the allowance is whole again. In microseconds of Redis's clock.
const takeScript = `
local now = redis.call('TIME')
now = now[1] * 1000000 + now[2]
local whole = math.max(tonumber(redis.call('GET', KEYS[1]) or '0'), now)
local next = whole + tonumber(ARGV[1])
if next - now > 1000000 then return { 0, whole - now } end
redis.call('SET', KEYS[1], string.format('%.0f', next), 'PX', 2000)
return { 1, next - now }`;

/**
 * Allows so many calls a second per key, counted in Redis for all processes together; while Redis is away each
 * process counts for itself, and nothing waits for it.
 */
export function createRateLimiter({ redis, prefix }: RateLimiterOptions): RateLimiter {
  const locals = new Map<number, LocalAllowance>();

  function localOf(perSecond: number): LocalAllowance {
    const known = locals.get(perSecond);
    if (known !== undefined) return known;
    const local = createLocalAllowance({ stepMs: 1_000 / perSecond, windowMs: 1_000 });
    if (locals.size >= maxRates) locals.clear();
    locals.set(perSecond, local);
    return local;
  }

  function takeLocally(key: string, perSecond: number): [allowed: boolean, usedMs: number] {
    const local = localOf(perSecond);
    const isAllowed = local.waitMs(key) === 0;
    if (isAllowed) local.count(key);
    return [isAllowed, local.usedMs(key)];
  }

  async function takeInRedis(key: string, perSecond: number): Promise<[allowed: boolean, usedMs: number]> {
    const reply: unknown = await redis.eval(takeScript, 1, prefix + key, 1_000_000 / perSecond);
    const [allowed = 1, usedUs = 0] = Array.isArray(reply) ? reply.map(Number) : [];
    return [allowed === 1, usedUs / 1_000];
  }

  return {
    async take(key, perSecond) {
      const stepMs = 1_000 / perSecond;
      const locally = (): [allowed: boolean, usedMs: number] => takeLocally(key, perSecond);
      const [isAllowed, usedMs] =
        redis.status === 'ready' ? await takeInRedis(key, perSecond).catch(locally) : locally();
      return {
        isAllowed,
        limit: perSecond,
        remaining: Math.max(0, Math.floor((1_000 - usedMs) / stepMs + 1e-6)),
        resetMs: usedMs,
        retryAfterMs: isAllowed ? 0 : Math.max(1, usedMs + stepMs - 1_000),
      };
    },
  };
}

export type LocalAllowance = {
  /** Milliseconds until the whole allowance of this key is available again. */
  readonly usedMs: (key: string) => number;
  /** Milliseconds until one more is allowed; 0: now. */
  readonly waitMs: (key: string) => number;
  /** Counts one, allowed or not. */
  readonly count: (key: string) => void;
};

const maxLocalKeys = 10_000;

/**
 * The rule of the rate limiter (GCRA) in this process: one each `stepMs` milliseconds per key, up to `windowMs`
 * worth of them at once. Remembers 10,000 keys; the one that was counted longest ago is dropped.
 */
export function createLocalAllowance({
  stepMs,
  windowMs,
}: {
  stepMs: number;
  windowMs: number;
}): LocalAllowance {
  /** When the allowance is whole again. */
  const wholeAt = new Map<string, number>();
  const usedMs = (key: string): number => Math.max(0, (wholeAt.get(key) ?? 0) - performance.now());
  return {
    usedMs,
    waitMs: (key) => Math.max(0, usedMs(key) + stepMs - windowMs),
    count: (key) => {
      const next = performance.now() + Math.min(windowMs, usedMs(key) + stepMs);
      wholeAt.delete(key);
      if (wholeAt.size >= maxLocalKeys)
        for (const oldest of wholeAt.keys()) {
          wholeAt.delete(oldest);
          break;
        }
      wholeAt.set(key, next);
    },
  };
}
