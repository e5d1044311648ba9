import { createHash } from 'node:crypto';
import {
  hourMs,
  isStillRemembered,
  compareSummary,
  meterRetryMs,
  minuteAround,
  secondMs,
} from '@billing/domain';
import type { Instant } from '@billing/domain';
import { beginDoubt, endReport, postponeReport, sumDelivered } from '@billing/store';
import type { SendingReport } from '@billing/store';
import type { MaintenanceDeps } from '../../deps.ts';
import { toStripeFailure } from '../../stripe/ask-stripe.ts';
import type { StripeFailure } from '../../stripe/ask-stripe.ts';
import type { MeterFinder } from './find-meter.ts';

export type MeterDeps = Pick<
  MaintenanceDeps,
  'database' | 'stripe' | 'budget' | 'clock' | 'logger' | 'counters' | 'meters' | 'signal'
>;

/** What Stripe refuses stays: an operator has to do something. */
const refusedMs = hourMs / 4;
const unclearMs = hourMs;

export type SendResult =
  | { kind: 'told' }
  /** This report later; others may go on. */
  | { kind: 'later'; until: Instant }
  /** Stripe takes none at present. */
  | { kind: 'away'; until: Instant };

/**
 * The same report has the same identifier whoever sends it, however often: Stripe refuses a repetition. At most 100
 * characters, which is Stripe's limit.
 */
export function identifierOf({ projectId, userId, featureCode, hour, sequence }: SendingReport): string {
  const of = createHash('sha256')
    .update(JSON.stringify([projectId, featureCode, userId]))
    .digest('base64url');
  return `${of}-${hour.toISOString().slice(0, 13)}-${sequence}`;
}

const isKnown = (error: unknown): boolean =>
  error instanceof Error && /already exists with identifier/i.test(error.message);

const outcomes = {
  missing: 'refused',
  refused: 'refused',
  throttled: 'throttled',
  unusable: 'unreachable',
  unreachable: 'unreachable',
} as const;

/** A short text for operators: Stripe's own words. */
const problemOf = (error: unknown): string =>
  (error instanceof Error ? error.message : 'unknown').slice(0, 300);

function pauseFor(failure: StripeFailure, attempts: number): { ms: number; isAway: boolean } {
  if (failure.kind === 'missing') return { ms: refusedMs, isAway: false };
  if (failure.kind === 'refused')
    return { ms: refusedMs, isAway: failure.status === 401 || failure.status === 403 };
  if (failure.kind === 'throttled') return { ms: failure.retryAfterMs ?? secondMs, isAway: true };
  return { ms: meterRetryMs(attempts), isAway: true };
}

async function postpone(deps: MeterDeps, report: SendingReport, error: unknown): Promise<SendResult> {
  const failure = toStripeFailure(error);
  if (failure.kind === 'throttled') await deps.meters.budget.throttle(failure.retryAfterMs);
  const { ms, isAway } = pauseFor(failure, report.attempts);
  const until = deps.clock() + ms;
  deps.counters.meterReports.inc({ outcome: outcomes[failure.kind] });
  deps.logger.warn('meter_report_failed', { event_name: report.eventName, failure: failure.kind, error });
  await postponeReport(deps.database, report, { until, problem: problemOf(error) });
  return { kind: isAway ? 'away' : 'later', until };
}

async function told(deps: MeterDeps, report: SendingReport, outcome: string): Promise<SendResult> {
  await endReport(deps.database, report, deps.clock());
  deps.counters.meterReports.inc({ outcome });
  return { kind: 'told' };
}

/** What the meter counted of the report's customer and minute. */
async function readCounted(
  deps: MeterDeps,
  meterId: string,
  { customerId, stampedAt }: SendingReport,
): Promise<number> {
  const { start, end } = minuteAround(stampedAt.getTime());
  const { data } = await deps.stripe.billing.meters.listEventSummaries(meterId, {
    customer: customerId,
    start_time: start / secondMs,
    end_time: end / secondMs,
  });
  return data.reduce((sum, { aggregated_value: value }) => sum + value, 0);
}

/** Stripe may have forgotten the identifier: what it counted says whether it has the report. Null: it does not. */
async function compare(
  deps: MeterDeps,
  report: SendingReport,
  findMeter: MeterFinder,
): Promise<SendResult | null> {
  if (!(await deps.budget.take('background', deps.signal))) return later(deps, report);
  const meterId = await findMeter(report.eventName);
  if (meterId === null) {
    const problem = `Stripe has no active meter with the event name ${report.eventName}.`;
    return unclear(deps, report, problem);
  }
  const { customerId, eventName, quantity } = report;
  const minute = minuteAround(report.stampedAt.getTime());
  const delivered = await sumDelivered(deps.database, { customerId, eventName, ...minute });
  const found = compareSummary({ counted: await readCounted(deps, meterId, report), delivered, quantity });
  if (found === 'there') return told(deps, report, 'found');
  if (found === 'unclear')
    return unclear(
      deps,
      report,
      'The meter counted events that are not of this service: it cannot be told whether this one is among them.',
    );
  await beginDoubt(deps.database, report, deps.clock());
  return null;
}

async function unclear(deps: MeterDeps, report: SendingReport, problem: string): Promise<SendResult> {
  const until = deps.clock() + unclearMs;
  deps.counters.meterReports.inc({ outcome: 'unclear' });
  deps.logger.error('meter_report_unclear', { event_name: report.eventName, problem });
  await postponeReport(deps.database, report, { until, problem });
  return { kind: 'later', until };
}

/** It has not been sent: its turn comes soon. */
async function later(deps: MeterDeps, report: SendingReport): Promise<SendResult> {
  const until = deps.clock() + 2 * secondMs;
  await postponeReport(deps.database, report, { until, problem: 'It waits for its turn.' });
  return { kind: 'later', until };
}

/**
 * Tells Stripe one report that is noted as being told. A lost answer leaves it noted: it is told again under the same
 * identifier, and after Stripe's memory of that ends, only once its summaries say that it is not there.
 */
export async function sendReport(
  deps: MeterDeps,
  report: SendingReport,
  findMeter: MeterFinder,
): Promise<SendResult> {
  try {
    if (!isStillRemembered(report.inDoubtSince.getTime(), deps.clock())) {
      const compared = await compare(deps, report, findMeter);
      if (compared !== null) return compared;
    }
    if (!(await deps.meters.budget.take('background', deps.signal))) return later(deps, report);
    await deps.meters.pace();
    await deps.stripe.billing.meterEvents.create({
      event_name: report.eventName,
      identifier: identifierOf(report),
      payload: { stripe_customer_id: report.customerId, value: String(report.quantity) },
      timestamp: Math.floor(report.stampedAt.getTime() / secondMs),
    });
  } catch (error) {
    return isKnown(error) ? told(deps, report, 'duplicate') : postpone(deps, report, error);
  }
  return told(deps, report, 'delivered');
}
