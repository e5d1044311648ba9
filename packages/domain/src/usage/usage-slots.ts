import { minuteMs } from '../time.ts';
import type { Instant } from '../time.ts';
import { sumOf } from './amounts.ts';
import type { UsageEvent } from './usage-event.ts';

/** The offsets of all zones are multiples of it: hours, and days of any zone, are sums of whole slots. */
export const slotMs = 15 * minuteMs;

/** What events add to the series of one user and feature in a quarter of an hour. */
export type UsageSlot = { start: Instant; quantity: number; overage: number };

/** By when usage happened. */
export function slotsOf(events: readonly UsageEvent[]): UsageSlot[] {
  const slots = new Map<Instant, UsageSlot>();
  for (const { at, quantity, parts } of events) {
    const start = Math.floor(at / slotMs) * slotMs;
    const slot = slots.get(start) ?? { start, quantity: 0, overage: 0 };
    const overage = sumOf(parts.map((part) => part.overage));
    slots.set(start, { start, quantity: slot.quantity + quantity, overage: slot.overage + overage });
  }
  return [...slots.values()].sort((a, b) => a.start - b.start);
}
