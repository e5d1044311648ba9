import { toTimestamp } from './time.ts';
import type { Instant } from './time.ts';

/** A calendar month in UTC, as `2026-11`. Months sort as texts do. */
export type Month = string;

export const monthOf = (at: Instant): Month => toTimestamp(at).slice(0, 7);

/** When a month begins. */
export const startOfMonth = (month: Month): Instant => Date.parse(`${month}-01T00:00:00Z`);

/** The month that comes `count` months later. */
export function addMonths(month: Month, count: number): Month {
  const start = new Date(startOfMonth(month));
  return monthOf(Date.UTC(start.getUTCFullYear(), start.getUTCMonth() + count));
}

export type MonthsPlan = {
  /** To be made, the earliest first. */
  missing: Month[];
  /** Over for longer than it is kept. */
  expired: Month[];
  /** How many months after the present one are there without a gap; -1: not even the present one. */
  ahead: number;
};

/**
 * What a table that is partitioned by months needs: the present month and some more, so that nothing is missing where
 * nobody makes partitions for a while.
 */
export function planMonths({
  existing,
  now,
  monthsAhead,
  keptMs,
}: {
  existing: readonly Month[];
  now: Instant;
  monthsAhead: number;
  keptMs: number;
}): MonthsPlan {
  const present = monthOf(now);
  const wanted = Array.from({ length: monthsAhead + 1 }, (_, index) => addMonths(present, index));
  const firstGap = wanted.findIndex((month) => !existing.includes(month));
  return {
    missing: wanted.filter((month) => !existing.includes(month)),
    expired: existing.filter((month) => startOfMonth(addMonths(month, 1)) <= now - keptMs).toSorted(),
    ahead: (firstGap === -1 ? wanted.length : firstGap) - 1,
  };
}
