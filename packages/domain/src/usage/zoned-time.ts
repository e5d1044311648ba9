import { dayMs, hourMs, minuteMs, secondMs } from '../time.ts';
import type { Instant } from '../time.ts';

/** More names than there are zones: an entry costs some KiB. */
const maxZones = 1_000;
const formatters = new Map<string, Intl.DateTimeFormat>();

/** Making one costs 50 µs, using it 1 µs. */
function formatterOf(zone: string): Intl.DateTimeFormat {
  const known = formatters.get(zone);
  if (known !== undefined) return known;
  const made = new Intl.DateTimeFormat('en-US', { timeZone: zone, timeZoneName: 'longOffset' });
  if (formatters.size >= maxZones) formatters.clear();
  formatters.set(zone, made);
  return made;
}

/** IANA names only: offsets such as `+02:00` are known to some versions of Node and not to others. */
const zoneName = /^[A-Za-z][A-Za-z0-9_+\-/]{0,63}$/;

export function isTimeZone(zone: string): boolean {
  if (!zoneName.test(zone)) return false;
  try {
    formatterOf(zone);
    return true;
  } catch {
    return false;
  }
}

const offsetPattern = /GMT(?:([+-])(\d\d):(\d\d)(?::(\d\d))?)?$/;

/** How far the zone's clocks are ahead of UTC at the moment, in ms. Throws RangeError for an unknown zone. */
export function offsetAt(zone: string, at: Instant): number {
  if (zone === 'UTC') return 0;
  const [, sign, hours, minutes, seconds] = offsetPattern.exec(formatterOf(zone).format(at)) ?? [];
  if (sign === undefined) return 0;
  const ms = Number(hours) * hourMs + Number(minutes) * minuteMs + Number(seconds ?? 0) * secondMs;
  return sign === '-' ? -ms : ms;
}

export type LocalDate = {
  year: number;
  /** 0 to 11; beyond, the year changes with it, as in `Date.UTC`. */
  month: number;
  day: number;
  /** 0: Monday. */
  weekday: number;
};

export function localDateOf(zone: string, at: Instant): LocalDate {
  const local = new Date(at + offsetAt(zone, at));
  return {
    year: local.getUTCFullYear(),
    month: local.getUTCMonth(),
    day: local.getUTCDate(),
    weekday: (local.getUTCDay() + 6) % 7,
  };
}

/** The moment in (from, to] from which the zone's offset is that of `to`. */
function changeOfOffset(zone: string, from: Instant, to: Instant): Instant {
  const after = offsetAt(zone, to);
  let [low, high] = [from, to];
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (offsetAt(zone, middle) === after) high = middle;
    else low = middle;
  }
  return high;
}

/**
 * The first moment of a day of the zone's calendar. Where clocks go back over midnight, the first of the two; where they
 * skip midnight (or the whole day), the moment after the gap.
 */
export function startOfLocalDay(zone: string, year: number, month: number, day: number): Instant {
  const midnight = Date.UTC(year, month, day);
  if (zone === 'UTC') return midnight;
  const offsets = [offsetAt(zone, midnight - dayMs), offsetAt(zone, midnight + dayMs)];
  const moments = offsets
    .filter((offset) => offsetAt(zone, midnight - offset) === offset)
    .map((offset) => midnight - offset);
  if (moments.length > 0) return Math.min(...moments);
  return changeOfOffset(zone, midnight - Math.max(...offsets) - 1, midnight - Math.min(...offsets) + 1);
}
