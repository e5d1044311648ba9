import type { Price } from '../stripe-objects.ts';

export const daySeconds = 86_400;

function addMonths(anchor: number, months: number): number {
  const from = new Date(anchor * 1000);
  const target = new Date(from);
  target.setUTCDate(1);
  target.setUTCMonth(target.getUTCMonth() + months);
  const daysInMonth = new Date(Date.UTC(target.getUTCFullYear(), target.getUTCMonth() + 1, 0)).getUTCDate();
  target.setUTCDate(Math.min(from.getUTCDate(), daysInMonth));
  return Math.floor(target.getTime() / 1000);
}

/** `count` intervals after the anchor. The day of the month is the anchor's, or the month's last. */
export function addIntervals(anchor: number, recurring: Price['recurring'], count: number): number {
  const steps = count * (recurring?.interval_count ?? 1);
  switch (recurring?.interval) {
    case 'day':
      return anchor + steps * daySeconds;
    case 'week':
      return anchor + steps * 7 * daySeconds;
    case 'year':
      return addMonths(anchor, steps * 12);
    case 'month':
    case undefined:
    default:
      return addMonths(anchor, steps);
  }
}

/** The first end of a period, counted from the anchor, that lies after `after`. */
export function periodEndAfter(anchor: number, recurring: Price['recurring'], after: number): number {
  const roughly = Math.max(1, addIntervals(anchor, recurring, 1) - anchor);
  // Start one interval early: months differ in length, so the quotient may be one too many.
  let count = Math.max(1, Math.floor((after - anchor) / roughly) - 1);
  while (addIntervals(anchor, recurring, count) > after && count > 1) count -= 1;
  while (addIntervals(anchor, recurring, count) <= after) count += 1;
  return addIntervals(anchor, recurring, count);
}
