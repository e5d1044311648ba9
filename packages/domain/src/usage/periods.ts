import { dayMs } from '../time.ts';
import type { Instant } from '../time.ts';
import { localDateOf, startOfLocalDay } from './zoned-time.ts';

export const periodUnits = ['day', 'week', 'month', 'year'] as const;
export type PeriodUnit = (typeof periodUnits)[number];

/** From `start` (inclusive) to `end` (exclusive); null: no end. */
export type Period = { start: Instant; end: Instant | null };

/** A period that ends. */
export type BoundedPeriod = { start: Instant; end: Instant };

const weekMs = 7 * dayMs;

const daysInMonth = (year: number, month: number): number =>
  new Date(Date.UTC(year, month + 1, 0)).getUTCDate();

/**
 * The moment so many months after the anchor, at its time of day in UTC; `day` is the anchor's day of the month, or
 * another that it stands for. A month that is too short has it on its last day (Stripe: "Billing cycle anchor").
 */
export function addMonths(anchor: Instant, months: number, day = new Date(anchor).getUTCDate()): Instant {
  const date = new Date(anchor);
  const index = date.getUTCFullYear() * 12 + date.getUTCMonth() + months;
  const [year, month] = [Math.floor(index / 12), ((index % 12) + 12) % 12];
  return Date.UTC(year, month, Math.min(day, daysInMonth(year, month))) + (anchor - startOfUtcDay(anchor));
}

const startOfUtcDay = (at: Instant): Instant => Math.floor(at / dayMs) * dayMs;

/** Months from one moment's month to the other's. */
export const monthsBetween = (from: Instant, to: Instant): number => {
  const [a, b] = [new Date(from), new Date(to)];
  return (b.getUTCFullYear() - a.getUTCFullYear()) * 12 + b.getUTCMonth() - a.getUTCMonth();
};

/** The period that contains the moment, counted from the anchor; before the anchor, the first one. */
export function periodFrom(anchor: Instant, unit: PeriodUnit, at: Instant): BoundedPeriod {
  if (unit === 'day' || unit === 'week') {
    const length = unit === 'day' ? dayMs : weekMs;
    const start = anchor + Math.max(0, Math.floor((at - anchor) / length)) * length;
    return { start, end: start + length };
  }
  const step = unit === 'month' ? 1 : 12;
  let count = Math.max(0, Math.floor(monthsBetween(anchor, at) / step));
  if (count > 0 && addMonths(anchor, count * step) > at) count -= 1;
  return { start: addMonths(anchor, count * step), end: addMonths(anchor, (count + 1) * step) };
}

function computeCalendarPeriod(zone: string, unit: PeriodUnit, at: Instant): BoundedPeriod {
  const { year, month, day, weekday } = localDateOf(zone, at);
  const startOf = (y: number, m: number, d: number) => startOfLocalDay(zone, y, m, d);
  switch (unit) {
    case 'day':
      return { start: startOf(year, month, day), end: startOf(year, month, day + 1) };
    case 'week': {
      const monday = day - weekday;
      return { start: startOf(year, month, monday), end: startOf(year, month, monday + 7) };
    }
    case 'month':
      return { start: startOf(year, month, 1), end: startOf(year, month + 1, 1) };
    case 'year':
      return { start: startOf(year, 0, 1), end: startOf(year + 1, 0, 1) };
  }
}

/** The last period of each zone and unit that was asked for: nearly every question is about the present one. */
const lastPeriods = new Map<string, BoundedPeriod>();
const maxPeriods = 4_000;

/** The day, week (from Monday), month or year of the zone's calendar that contains the moment. */
export function calendarPeriod(zone: string, unit: PeriodUnit, at: Instant): BoundedPeriod {
  const key = `${unit} ${zone}`;
  const last = lastPeriods.get(key);
  if (last !== undefined && last.start <= at && at < last.end) return last;
  const period = computeCalendarPeriod(zone, unit, at);
  if (lastPeriods.size >= maxPeriods) lastPeriods.clear();
  lastPeriods.set(key, period);
  return period;
}

/** The length of a period as Stripe counts it: whole months from an anchor's day, else days and hours. */
type Length = { months: number; day: number } | { ms: number };

/**
 * 31 January to 28 February is a month of the anchor 31, to 14 February it is 14 days: one that is whole months long by
 * an anchor's day is taken as such.
 */
function lengthOf({ start, end }: BoundedPeriod): Length {
  const months = monthsBetween(start, end);
  const day = Math.max(new Date(start).getUTCDate(), new Date(end).getUTCDate());
  const isWhole = addMonths(start, 0, day) === start && addMonths(start, months, day) === end;
  return months > 0 && isWhole ? { months, day } : { ms: end - start };
}

/** The period after it, of the same length: what is known before the renewal is heard of. */
export function nextPeriod(period: BoundedPeriod): BoundedPeriod {
  const length = lengthOf(period);
  const end = 'ms' in length ? period.end + length.ms : addMonths(period.end, length.months, length.day);
  return { start: period.end, end };
}

/** The period before it, of the same length. */
export function previousPeriod(period: BoundedPeriod): BoundedPeriod {
  const length = lengthOf(period);
  const start =
    'ms' in length ? period.start - length.ms : addMonths(period.start, -length.months, length.day);
  return { start, end: period.start };
}
