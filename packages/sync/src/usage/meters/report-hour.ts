import { boundsWithin, hourMs, planMeterHour, secondMs, segmentsOf } from '@billing/domain';
import type { CountedSegment, Instant, MeterReport, PlannedReport } from '@billing/domain';
import {
  beginReport,
  countSegments,
  finishMeterHour,
  postponeMeterHour,
  readMeterHours,
  writeTooLate,
} from '@billing/store';
import type { MeterHour, ReadMeterHour } from '@billing/store';
import { sendReport } from './send-report.ts';
import type { MeterDeps, SendResult } from './send-report.ts';
import type { MeterFinder } from './find-meter.ts';

/** Until then nobody else sends a report that was begun: longer than all attempts of a request. */
export const reportLeaseMs = 60 * secondMs;
/** Another worker is at it, or was first. */
const turnMs = secondMs;

/** Parts of the hour that are over, each with what was used in it. */
async function countHour(deps: MeterDeps, hour: MeterHour, read: ReadMeterHour): Promise<CountedSegment[]> {
  const start = hour.hour.getTime();
  const now = deps.clock();
  const bounds = boundsWithin(read.sources, start);
  if (bounds.length === 0)
    return start + hourMs > now
      ? []
      : [{ start, end: start + hourMs, quantity: read.quantity, overage: read.overage }];
  const segments = segmentsOf(start, bounds).filter(({ end }) => end <= now);
  return segments.length === 0 ? [] : countSegments(deps.database, hour, segments);
}

/** Tells one report, which nobody was told of before. */
async function tell(
  deps: MeterDeps,
  hour: MeterHour,
  { report, findMeter }: { report: MeterReport & { customerId: string }; findMeter: MeterFinder },
): Promise<SendResult> {
  const now = deps.clock();
  const begun = await beginReport(deps.database, hour, { report, now, lookAt: now + reportLeaseMs });
  if (begun !== 'begun') return { kind: 'later', until: now + turnMs };
  const { projectId, userId, featureCode } = hour;
  const { sequence, quantity, at, eventName, customerId } = report;
  const sending = {
    projectId,
    userId,
    featureCode,
    hour: hour.hour,
    sequence,
    quantity,
    eventName,
    customerId,
  };
  return sendReport(
    deps,
    { ...sending, stampedAt: new Date(at), inDoubtSince: new Date(now), attempts: 0 },
    findMeter,
  );
}

async function tellOrList(
  deps: MeterDeps,
  hour: MeterHour,
  { planned, findMeter }: { planned: PlannedReport; findMeter: MeterFinder },
): Promise<SendResult> {
  const { kind, customerId, ...report } = planned;
  if (kind === 'send' && customerId !== null)
    return tell(deps, hour, { report: { ...report, customerId }, findMeter });
  const now = deps.clock();
  if (!(await writeTooLate(deps.database, hour, { report: { ...report, customerId }, now })))
    return { kind: 'later', until: now + turnMs };
  deps.counters.meterReports.inc({ outcome: 'too_late' });
  const { projectId, featureCode } = hour;
  deps.logger.warn('meter_report_too_late', {
    project_id: projectId,
    feature_code: featureCode,
    hour: hour.hour,
  });
  return { kind: 'told' };
}

async function postpone(deps: MeterDeps, hour: MeterHour, until: Instant): Promise<void> {
  await postponeMeterHour(deps.database, hour, until);
}

/**
 * Tells Stripe what an hour's usage differs from what it was told. False: Stripe takes nothing at present.
 */
export async function reportHour(deps: MeterDeps, hour: MeterHour, findMeter: MeterFinder): Promise<boolean> {
  const [read] = await readMeterHours(deps.database, [hour]);
  if (read === undefined) throw new Error('an hour that was asked for was not read');
  if (read.sendingUntil !== null) {
    await postpone(deps, hour, Math.max(read.sendingUntil, deps.clock()) + turnMs);
    return true;
  }
  const segments = await countHour(deps, hour, read);
  const { sources, reports } = read;
  const plan = planMeterHour({ segments, reports, sources }, deps.clock());
  for (const planned of plan.reports) {
    const result = await tellOrList(deps, hour, { planned, findMeter });
    if (result.kind === 'told') continue;
    await postpone(deps, hour, result.until + turnMs);
    return result.kind !== 'away';
  }
  if (plan.waits) deps.counters.meterReports.inc({ outcome: 'no_customer' });
  const now = deps.clock();
  const end = hour.hour.getTime() + hourMs;
  await finishMeterHour(deps.database, hour, {
    waitsSince: plan.waits ? new Date(now) : null,
    dueAt: end > now ? new Date(end) : null,
  });
  return true;
}
