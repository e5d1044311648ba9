import type { ReadinessChecks } from './readiness.ts';
import type { Metrics } from './metrics.ts';
import type { StripeAttempt } from './stripe-http-client.ts';

/** What Stripe refuses to the key, for lack of a permission (restricted keys, `rk_…`). */
export type StripePermissions = {
  note: (attempt: Pick<StripeAttempt, 'operation' | 'status' | 'message'>) => void;
  /** For `/ready`: nothing, or `stripe`, which names each operation and the permission it needs. */
  check: () => ReadinessChecks;
};

/** Longer than a day, as reconciliation asks once a day. */
const rememberedMs = 26 * 3_600_000;
const mostNamed = 5;

/** Stripe names the permission in its message: "Having the 'rak_charge_read' permission would allow …". */
const permissionIn = (message: string | null): string | null =>
  /\brak_[a-z0-9_]{1,80}\b/.exec(message ?? '')?.[0] ?? null;

/**
 * Remembers the operations that Stripe answered with 403, until the same operation is not refused. Of Stripe's message
 * only the permission's name is kept: it also shows part of the key.
 */
export function createStripePermissions({
  counter,
  gauge,
}: Pick<Metrics, 'counter' | 'gauge'>): StripePermissions {
  const denied = counter(
    'stripe_permission_denied_total',
    'Stripe requests that were refused because the key lacks a permission',
    ['operation'],
  );
  const missingNow = gauge(
    'stripe_permissions_missing',
    'Operations that Stripe refused to the key when they were last tried',
  );
  const missing = new Map<string, { permission: string | null; at: number }>();
  function forgetOld(): void {
    const oldest = performance.now() - rememberedMs;
    for (const [operation, { at }] of missing) if (at < oldest) missing.delete(operation);
    missingNow.set(missing.size);
  }
  return {
    note: ({ operation, status, message }) => {
      if (status === 403) {
        denied.inc({ operation });
        missing.set(operation, { permission: permissionIn(message), at: performance.now() });
      } else if (status === null || status === 401 || status === 429 || status >= 500) return;
      else if (!missing.delete(operation)) return;
      missingNow.set(missing.size);
    },
    check: () => {
      forgetOld();
      if (missing.size === 0) return {};
      const named = [...missing]
        .sort(([one], [other]) => (one < other ? -1 : 1))
        .slice(0, mostNamed)
        .map(([operation, { permission }]) => `${operation} (${permission ?? 'permission not named'})`);
      const more = missing.size > mostNamed ? ` and ${missing.size - mostNamed} more` : '';
      return { stripe: `the Stripe key may not ${named.join(', ')}${more}` };
    },
  };
}
