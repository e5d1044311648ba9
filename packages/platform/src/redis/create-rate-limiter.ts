import type { Redis } from 'ioredis';

/** `remaining`: how many more would pass now; `resetMs`: until all of the allowance is there again. */
export interface RateDecision {
  readonly isAllowed: boolean;
  readonly limit: number;
  readonly remaining: number;
  readonly resetMs: number;
  readonly retryAfterMs: number;
}

export interface RateLimiterOptions {
  readonly redis: Redis;
  /** How many a second, and how many at once after a pause. */
  readonly perSecond: number;
  /** Before the keys in Redis. */
  readonly prefix: string;
}

export type RateLimiter = ReturnType<typeof createRateLimiter>;

// GCRA: one number per key, the moment at which the allowance is whole again. In microseconds of Redis' clock.
const TAKE = `
local now = redis.call('TIME')
now = now[1] * 1000000 + now[2]
local whole = math.max(tonumber(redis.call('GET', KEYS[1]) or '0'), now)
local next = whole + tonumber(ARGV[1])
if next - now > 1000000 then return { 0, whole - now } end
redis.call('SET', KEYS[1], string.format('%.0f', next), 'PX', 2000)
return { 1, next - now }`;

const SECOND_US = 1_000_000;
const MAX_LOCAL_KEYS = 10_000;

/**
 * Lets so many a second pass per key, counted in Redis for all processes together; while Redis is away each
 * process counts for itself, and nothing waits for it.
 */
export function createRateLimiter({ redis, perSecond, prefix }: RateLimiterOptions) {
  const stepUs = SECOND_US / perSecond;
  const local = new Map<string, number>();

  /** The same rule in this process. */
  function takeLocally(key: string): [number, number] {
    const nowUs = performance.now() * 1_000;
    const wholeUs = Math.max(local.get(key) ?? 0, nowUs);
    const nextUs = wholeUs + stepUs;
    if (nextUs - nowUs > SECOND_US) return [0, wholeUs - nowUs];
    if (local.size >= MAX_LOCAL_KEYS && !local.has(key)) local.clear();
    local.set(key, nextUs);
    return [1, nextUs - nowUs];
  }

  async function takeInRedis(key: string): Promise<[number, number]> {
    const reply: unknown = await redis.eval(TAKE, 1, prefix + key, stepUs);
    const [allowed, owedUs] = Array.isArray(reply) ? reply.map(Number) : [];
    return [allowed ?? 1, owedUs ?? 0];
  }

  return {
    /** Counts one. Never throws. */
    async take(key: string): Promise<RateDecision> {
      const [allowed, owedUs] =
        redis.status === 'ready' ? await takeInRedis(key).catch(() => takeLocally(key)) : takeLocally(key);
      return {
        isAllowed: allowed === 1,
        limit: perSecond,
        remaining: Math.max(0, Math.floor((SECOND_US - owedUs) / stepUs + 1e-6)),
        resetMs: owedUs / 1_000,
        retryAfterMs: allowed === 1 ? 0 : Math.max(1, (owedUs + stepUs - SECOND_US) / 1_000),
      };
    },
  };
}
