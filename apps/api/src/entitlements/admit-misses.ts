import { setTimeout as sleep } from 'node:timers/promises';
import { ServiceError } from '@billing/domain';
import type { Metrics } from '@billing/platform';
import type { EntitlementCache } from '@billing/store';

/** A statement that reads these users. */
export type AskedUsers = { projectId: string; userIds: readonly string[] };

export type Admission = {
  /**
   * Waits, while the cache of one of them is cold, until the statement may be sent; rejects with `service_unavailable` where
   * that would be later than `endsAt` (of `performance.now()`).
   */
  admit: (asked: AskedUsers, endsAt: number) => Promise<void>;
};

type AdmissionDeps = {
  perSecond: number;
  cache: Pick<EntitlementCache, 'isWarming'>;
  metrics: Pick<Metrics, 'entitlementReadsNotAdmitted'>;
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
export function createAdmission({ perSecond, cache, metrics }: AdmissionDeps): Admission {
  let wholeAt = -Infinity;
  return {
    async admit({ projectId, userIds }, endsAt) {
      if (!userIds.some((userId) => cache.isWarming(projectId, userId))) return;
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
