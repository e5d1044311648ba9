import type { Clock } from '@billing/domain';

/** The budget of one process by itself, while Redis is out of reach: the same rule without other workers. */
export function createLocalBucket(perSecond: number, clock: Clock) {
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
    /** 0: granted; else how many ms to wait. */
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
