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

/** A part of a slot. */
export type SlotPart = { slot: Instant; from: Instant; to: Instant };

/** Which slots lie within a time as a whole (absent: no bound), and which in part. */
export type SlotRange = { from?: Instant; to?: Instant; parts: SlotPart[] };

const slotOf = (at: Instant): Instant => Math.floor(at / slotMs) * slotMs;

/** The slots of a time; `to` is exclusive. */
export function slotRangeOf({
  from,
  to,
}: {
  from?: Instant | undefined;
  to?: Instant | undefined;
}): SlotRange {
  const first = from === undefined ? undefined : Math.ceil(from / slotMs) * slotMs;
  const last = to === undefined ? undefined : slotOf(to);
  const bounds = {
    ...(first === undefined ? {} : { from: first }),
    ...(last === undefined ? {} : { to: last }),
  };
  if (from !== undefined && to !== undefined && slotOf(from) === slotOf(to))
    return { ...bounds, parts: from < to ? [{ slot: slotOf(from), from, to }] : [] };
  if (from !== undefined && to !== undefined && from > to) return { ...bounds, parts: [] };
  const parts: SlotPart[] = [];
  if (from !== undefined && first !== undefined && from < first)
    parts.push({ slot: slotOf(from), from, to: first });
  if (to !== undefined && last !== undefined && last < to) parts.push({ slot: last, from: last, to });
  return { ...bounds, parts };
}
