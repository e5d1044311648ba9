import { dayMs, hourMs, minuteMs, secondMs } from '../time.ts';
import type { Instant } from '../time.ts';
import { isMetered, settingsOf } from './features.ts';
import type { StripeMeter } from './features.ts';
import { nextPeriod, previousPeriod } from './periods.ts';
import type { UsageInput } from './usage-sources.ts';

/** Stripe takes no meter event that is older. */
export const oldestMeterEventMs = 35 * dayMs;

/** A subscription of the user, as far as it says where usage is billed. */
export type MeterSubscription = {
  customerId: string | null;
  status: string | null;
  start: Instant;
  end: Instant | null;
  trialEnd: Instant | null;
  items: readonly {
    start: Instant | null;
    end: Instant | null;
    /** Its price is metered: Stripe bills usage by it. */
    isMetered: boolean;
    /** Of the product that it sells. */
    meter: StripeMeter | null;
  }[];
};

/** What says where the usage of one user and feature is billed. */
export type MeterSources = {
  /** The feature's own. */
  meter: StripeMeter | null;
  /** The mapped customer that is billed; null: there is none. */
  customerId: string | null;
  subscriptions: readonly MeterSubscription[];
};

/** Where usage of a moment is reported to. `customerId` null: it waits for one. */
export type MeterTarget = { eventName: string; report: StripeMeter['report']; customerId: string | null };

const neverBegan: ReadonlySet<string> = new Set(['incomplete', 'incomplete_expired']);

/** Those in force at the moment, the newest first. */
const coveringAt = ({ subscriptions }: MeterSources, at: Instant): MeterSubscription[] =>
  subscriptions
    .filter(
      ({ status, start, end }) =>
        status !== null && !neverBegan.has(status) && start <= at && (end === null || at < end),
    )
    .toSorted((a, b) => b.start - a.start);

/**
 * The product's meter beats the feature's; the customer is that of the subscription that sells it, else of the one with a
 * metered price, else the one that is mapped. Null: this usage is not billed by Stripe.
 */
export function meterTargetAt(sources: MeterSources, at: Instant): MeterTarget | null {
  const covering = coveringAt(sources, at);
  for (const { customerId, items } of covering) {
    const meter = items.find((item) => item.meter !== null)?.meter ?? null;
    if (meter !== null)
      return {
        eventName: meter.event_name,
        report: meter.report,
        customerId: customerId ?? sources.customerId,
      };
  }
  if (sources.meter === null) return null;
  const billed = covering.find(({ items }) => items.some((item) => item.isMetered)) ?? covering[0];
  const { event_name: eventName, report } = sources.meter;
  return { eventName, report, customerId: billed?.customerId ?? sources.customerId };
}

/** Whether what an account uses is noted for a meter of Stripe: its feature, or a product that gives it, has one. */
export const hasStripeMeter = ({ featureCode, feature, evaluations, defaults }: UsageInput): boolean =>
  feature.kind === 'metered' &&
  (feature.stripe_meter !== undefined ||
    [...evaluations.map(({ item }) => item?.features), ...defaults.map(({ features }) => features)].some(
      (all) => {
        const settings = settingsOf(all, featureCode);
        return isMetered(settings) && settings.stripe_meter !== undefined;
      },
    ));

/** The beginning of the hour (UTC). */
export const hourOf = (at: Instant): Instant => Math.floor(at / hourMs) * hourMs;

/** A subscription by the day has about so many periods within the time that Stripe takes events of. */
const mostSteps = 40;

/** The bounds of the periods of an item that lie within the hour: by the one that is known, others by the clock. */
function periodBounds(start: Instant, end: Instant, hour: Instant): Instant[] {
  const bounds = [start, end];
  let [before, after] = [
    { start, end },
    { start, end },
  ];
  for (let step = 0; before.start > hour && step < mostSteps; step += 1) {
    before = previousPeriod(before);
    bounds.push(before.start);
  }
  for (let step = 0; after.end < hour && step < mostSteps; step += 1) {
    after = nextPeriod(after);
    bounds.push(after.end);
  }
  return bounds;
}

/** Where periods that Stripe bills begin or end within the hour, its own beginning left out. Ascending. */
export function boundsWithin({ subscriptions }: MeterSources, hour: Instant): Instant[] {
  const all = subscriptions.flatMap(({ start, end, trialEnd, items }) => [
    start,
    end,
    trialEnd,
    ...items.flatMap((item) =>
      item.start === null || item.end === null || item.end <= item.start
        ? [item.start, item.end]
        : periodBounds(item.start, item.end, hour),
    ),
  ]);
  const within = all.filter((at) => at !== null && at > hour && at < hour + hourMs);
  return [...new Set(within)].filter((at) => at !== null).toSorted((a, b) => a - b);
}

/** A part of an hour that lies within one period: from `start` until before `end`. */
export type MeterSegment = { start: Instant; end: Instant };

export function segmentsOf(hour: Instant, bounds: readonly Instant[]): MeterSegment[] {
  const edges = [hour, ...bounds, hour + hourMs];
  return edges.slice(1).flatMap((end, index) => {
    const start = edges[index] ?? hour;
    return end > start ? [{ start, end }] : [];
  });
}

/** The timestamp of a segment's meter events: its last whole second, so that it is within its period. */
export const timestampOf = ({ start, end }: MeterSegment): Instant =>
  Math.max(start, Math.floor((end - 1) / secondMs) * secondMs);

/** What was reported of an hour before. */
export type MeterReport = {
  sequence: number;
  quantity: number;
  /** The timestamp that Stripe was told. */
  at: Instant;
  eventName: string;
  report: StripeMeter['report'];
  customerId: string | null;
};

/** A segment with what was used in it. */
export type CountedSegment = MeterSegment & { quantity: number; overage: number };

export type PlannedReport = MeterReport & { kind: 'send' | 'too_late' };

export type MeterPlan = {
  /** One after the other. */
  reports: PlannedReport[];
  /** Something waits for the user's customer. */
  waits: boolean;
};

/**
 * What is still to be told of an hour: of each segment the difference between what was used and what was reported. A
 * segment that was reported stays with its customer and meter, also where others would be chosen now, so that a correction
 * meets what it corrects.
 */
export function planMeterHour(
  {
    segments,
    reports,
    sources,
  }: { segments: readonly CountedSegment[]; reports: readonly MeterReport[]; sources: MeterSources },
  now: Instant,
): MeterPlan {
  const plan: MeterPlan = { reports: [], waits: false };
  let sequence = Math.max(-1, ...reports.map((one) => one.sequence)) + 1;
  for (const segment of segments) {
    const known = reports.filter(({ at }) => at >= segment.start && at < segment.end);
    const target = known.at(-1) ?? meterTargetAt(sources, segment.start);
    if (target === null) continue;
    const { eventName, report, customerId } = target;
    const used = report === 'all' ? segment.quantity : segment.overage;
    const quantity = used - known.reduce((sum, one) => sum + one.quantity, 0);
    if (quantity === 0) continue;
    const at = timestampOf(segment);
    const isTooLate = at <= now - oldestMeterEventMs + minuteMs;
    if (customerId === null && !isTooLate) {
      plan.waits = true;
      continue;
    }
    plan.reports.push({
      kind: isTooLate ? 'too_late' : 'send',
      sequence,
      quantity,
      at,
      eventName,
      report,
      customerId,
    });
    sequence += 1;
  }
  return plan;
}

/** Stripe remembers identifiers for 24 hours; a little less, as its clock and ours differ. */
const rememberedMs = 23 * hourMs;

/** Whether sending the same report again is safe: Stripe would still know its identifier. */
export const isStillRemembered = (inDoubtSince: Instant, now: Instant): boolean =>
  now - inDoubtSince < rememberedMs;

/**
 * Whether a report that is in doubt is among what Stripe counted of its customer and minute: `delivered` is all that is
 * known to be there. `unclear`: the meter counts events that are not ours.
 */
export function compareSummary({
  counted,
  delivered,
  quantity,
}: Record<'counted' | 'delivered' | 'quantity', number>): 'there' | 'absent' | 'unclear' {
  if (counted === delivered + quantity) return 'there';
  return counted === delivered ? 'absent' : 'unclear';
}

/** The whole minute around a timestamp: what Stripe sums up. */
export function minuteAround(at: Instant): MeterSegment {
  const start = Math.floor(at / minuteMs) * minuteMs;
  return { start, end: start + minuteMs };
}

/** At the latest so long after a period's end its usage is reported. */
export const latestAfterPeriodMs = 8 * minuteMs;

/** How long an hour waits for late usage; one that ends a period not so long that its invoice is missed. */
export const meterDelayOf = (delayMs: number, endsPeriod: boolean): number =>
  endsPeriod ? Math.min(delayMs, latestAfterPeriodMs) : delayMs;

/** The pause before a report is tried again. */
export const meterRetryMs = (attempts: number): number =>
  Math.min(minuteMs, secondMs * 2 ** Math.min(attempts, 6));
