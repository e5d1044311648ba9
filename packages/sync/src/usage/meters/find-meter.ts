import { minuteMs } from '@billing/domain';
import type { MaintenanceDeps } from '../../deps.ts';

/** The id of the active meter with an event name; null: Stripe has none. Throws what Stripe's client throws. */
export type MeterFinder = (eventName: string) => Promise<string | null>;

const rememberedMs = 10 * minuteMs;
/** More meters than any account has; a bound all the same. */
const maxMeters = 5_000;

export function createMeterFinder({ stripe, clock }: Pick<MaintenanceDeps, 'stripe' | 'clock'>): MeterFinder {
  let known: { ids: Map<string, string>; at: number } | null = null;
  return async (eventName) => {
    if (known === null || clock() - known.at > rememberedMs || !known.ids.has(eventName)) {
      const all = await stripe.billing.meters
        .list({ status: 'active', limit: 100 })
        .autoPagingToArray({ limit: maxMeters });
      known = { ids: new Map(all.map((meter) => [meter.event_name, meter.id])), at: clock() };
    }
    return known.ids.get(eventName) ?? null;
  };
}
