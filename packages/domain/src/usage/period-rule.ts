import type { Instant } from '../time.ts';
import { calendarPeriod, nextPeriod, periodFrom, previousPeriod } from './periods.ts';
import type { BoundedPeriod, Period, PeriodUnit } from './periods.ts';

/** How the periods of a bucket follow each other. */
export type PeriodRule =
  /** Stripe's paid periods, of which one is known. Until `clockUntil` the clock alone begins the next (null: never). */
  | { kind: 'billing'; start: Instant; end: Instant | null; clockUntil: Instant | null }
  | { kind: 'once' }
  /** Counted from a moment, in UTC. */
  | { kind: 'from'; unit: PeriodUnit; anchor: Instant }
  | { kind: 'calendar'; unit: PeriodUnit; zone: string };

type Asked = { at: Instant; now: Instant; startedAt: Instant };

/** A daily price of more than a year; what is asked for beyond it has no period of its own. */
const mostSteps = 400;

/**
 * The paid period at the moment. One that was heard counts from then on, also where it begins ahead of our clock (an
 * early renewal, a test clock). After its end the next begins by the clock, within the time that a renewal may take.
 */
function billingPeriodAt(
  { start, end, clockUntil }: Extract<PeriodRule, { kind: 'billing' }>,
  { at, now }: Asked,
): Period | null {
  if (end === null || end <= start) return { start, end };
  let period: BoundedPeriod = { start, end };
  if (at >= end) {
    if (clockUntil === null || at >= clockUntil) return null;
    for (let step = 0; at >= period.end && step < mostSteps; step += 1) period = nextPeriod(period);
  } else if (at < now) {
    for (let step = 0; at < period.start && step < mostSteps; step += 1) period = previousPeriod(period);
  }
  return period;
}

/** The period that contains the moment; null: there is none. */
export function periodAt(rule: PeriodRule, asked: Asked): Period | null {
  switch (rule.kind) {
    case 'billing':
      return billingPeriodAt(rule, asked);
    case 'once':
      return { start: asked.startedAt, end: null };
    case 'from':
      return periodFrom(rule.anchor, rule.unit, asked.at);
    case 'calendar':
      return calendarPeriod(rule.zone, rule.unit, asked.at);
  }
}

/** The period before one that begins at `start`; null: none comes before. */
export function periodBefore(rule: PeriodRule, { start, end }: Period): Period | null {
  switch (rule.kind) {
    case 'billing':
      return end === null ? null : previousPeriod({ start, end });
    case 'once':
      return null;
    case 'from':
      return start <= rule.anchor ? null : periodFrom(rule.anchor, rule.unit, start - 1);
    case 'calendar':
      return calendarPeriod(rule.zone, rule.unit, start - 1);
  }
}
