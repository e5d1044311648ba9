import { setTimeout as sleep } from 'node:timers/promises';
import { ServiceError } from '@billing/domain';
import type { Metrics } from '@billing/platform';

export type Admission = {
  /**
   * Waits until a statement may be sent; rejects with `service_unavailable` where that would be later than `endsAt`
   * (of `performance.now()`).
   */
  admit: (endsAt: number) => Promise<void>;
};

const windowMs = 1_000;

/**
 * When the next one is admitted, with one second's worth of them at once: `wholeAt` is the moment at which all of these are
 * there again. Null: later than `endsAt`; then nothing is counted.
 */
export function nextAdmission(
  { wholeAt, perSecond }: { wholeAt: number; perSecond: number },
  { now, endsAt }: { now: number; endsAt: number },
): { waitMs: number; wholeAt: number } | null {
  const whole = Math.max(wholeAt, now) + windowMs / perSecond;
  const waitMs = Math.max(0, whole - windowMs - now);
  return now + waitMs > endsAt ? null : { waitMs, wholeAt: whole };
}

/**
 * Admits so many statements a second of this process, one second's worth of them at once. Those who come first are
 * admitted first; who cannot be in time is refused, and told to come back.
 */
export function createAdmission(
  perSecond: number,
  metrics: Pick<Metrics, 'entitlementReadsNotAdmitted'>,
): Admission {
  let wholeAt = -Infinity;
  return {
    async admit(endsAt) {
      const now = performance.now();
      const next = nextAdmission({ wholeAt, perSecond }, { now, endsAt });
      if (next === null) {
        metrics.entitlementReadsNotAdmitted.inc();
        // Others are admitted until then: whoever comes back at once only takes their place.
        await sleep(Math.max(0, endsAt - now));
        throw new ServiceError('service_unavailable', 'Try again in a moment: the cache is being filled.', {
          retryable: true,
          retryAfterSeconds: 1,
        });
      }
      wholeAt = next.wholeAt;
      if (next.waitMs > 0) await sleep(next.waitMs);
    },
  };
}
