import type { Instant, MeterReport } from '@billing/domain';
import type { Database, Queries } from '../../create-database.ts';
import { Prisma } from '../../generated/client.ts';
import type { AccountKey } from '../account-key.ts';
import type { MeterHour } from './meter-hours.ts';

type Raw = Pick<Database, '$executeRaw' | '$queryRaw'>;

/** A report that is being told, until Stripe is known to have it. */
export type SendingReport = AccountKey & {
  hour: Date;
  sequence: number;
  quantity: number;
  stampedAt: Date;
  customerId: string;
  eventName: string;
  /** The first attempt since Stripe was known not to have it. */
  inDoubtSince: Date;
  attempts: number;
};

const isReport = ({
  projectId,
  userId,
  featureCode,
  hour,
  sequence,
}: SendingReport): Prisma.Sql => Prisma.sql`
  project_id = ${projectId} AND user_id = ${userId} AND feature_code = ${featureCode} AND hour = ${hour}
    AND sequence = ${sequence} AND state = 'sending'`;

type Times = { now: Instant; lookAt: Instant };

const insertReport = (
  tx: Pick<Queries, '$executeRaw'>,
  { projectId, userId, featureCode, hour }: MeterHour,
  { report, state, now, lookAt }: Times & { report: MeterReport; state: 'sending' | 'too_late' },
): Promise<number> => tx.$executeRaw`
  INSERT INTO public.usage_meter_reports (project_id, user_id, feature_code, hour, sequence, quantity, stamped_at,
    stripe_customer_id, event_name, report, state, created_at, in_doubt_since, look_at, ended_at)
  VALUES (${projectId}, ${userId}, ${featureCode}, ${hour}, ${report.sequence}, ${BigInt(report.quantity)},
    ${new Date(report.at)}, ${report.customerId}, ${report.eventName}, ${report.report}, ${state}, ${new Date(now)},
    ${new Date(now)}, ${new Date(lookAt)}, ${state === 'sending' ? null : new Date(now)}::timestamptz)
  ON CONFLICT (project_id, user_id, feature_code, hour, sequence) DO NOTHING`;

/** Usage that Stripe takes no more: it is listed. False: another worker was first. */
export const writeTooLate = async (
  database: Raw,
  hour: MeterHour,
  { report, now }: { report: MeterReport; now: Instant },
): Promise<boolean> =>
  (await insertReport(database, hour, { report, state: 'too_late', now, lookAt: now })) === 1;

/**
 * Notes what is going to be told, before it is: should the process die, the same is told again. One at a time of a
 * customer and meter (`busy`). `stale`: another worker told something of the hour meanwhile.
 */
export const beginReport = (
  database: Database,
  hour: MeterHour,
  { report, now, lookAt }: Times & { report: MeterReport & { customerId: string } },
): Promise<'begun' | 'busy' | 'stale'> =>
  database.$transaction(async (tx) => {
    const { customerId, eventName } = report;
    await tx.$executeRaw`SELECT pg_advisory_xact_lock(hashtextextended(${`${customerId} ${eventName}`}, 0))`;
    const sending = await tx.$queryRaw<unknown[]>`
      SELECT 1 FROM public.usage_meter_reports
      WHERE stripe_customer_id = ${customerId} AND event_name = ${eventName} AND state = 'sending' LIMIT 1`;
    if (sending.length > 0) return 'busy';
    return (await insertReport(tx, hour, { report, state: 'sending', now, lookAt })) === 1
      ? 'begun'
      : 'stale';
  });

/** Takes up reports whose answer never came, longest waiting first. */
export async function claimSending(
  database: Raw,
  { now, leaseMs, limit }: { now: Instant; leaseMs: number; limit: number },
): Promise<SendingReport[]> {
  const rows = await database.$queryRaw<(Omit<SendingReport, 'quantity'> & { quantity: bigint })[]>`
  UPDATE public.usage_meter_reports SET look_at = ${new Date(now + leaseMs)}
  WHERE ctid = ANY(ARRAY(
    SELECT ctid FROM public.usage_meter_reports WHERE state = 'sending' AND look_at <= ${new Date(now)}
    ORDER BY look_at LIMIT ${limit} FOR UPDATE SKIP LOCKED))
  RETURNING project_id AS "projectId", user_id AS "userId", feature_code AS "featureCode", hour, sequence,
    quantity, stamped_at AS "stampedAt", stripe_customer_id AS "customerId", event_name AS "eventName",
    in_doubt_since AS "inDoubtSince", attempts`;
  return rows.map((row) => ({ ...row, quantity: Number(row.quantity) }));
}

export const endReport = (database: Raw, report: SendingReport, now: Instant): Promise<number> =>
  database.$executeRaw`
  UPDATE public.usage_meter_reports SET state = 'delivered', ended_at = ${new Date(now)}, problem = NULL
  WHERE ${isReport(report)}`;

/** It is tried again later. */
export const postponeReport = (
  database: Raw,
  report: SendingReport,
  { until, problem }: { until: Instant; problem: string },
): Promise<number> => database.$executeRaw`
  UPDATE public.usage_meter_reports SET look_at = ${new Date(until)}, attempts = attempts + 1, problem = ${problem}
  WHERE ${isReport(report)}`;

/** Stripe does not have it: from now on it would know a repetition again. */
export const beginDoubt = (database: Raw, report: SendingReport, now: Instant): Promise<number> =>
  database.$executeRaw`
  UPDATE public.usage_meter_reports SET in_doubt_since = ${new Date(now)} WHERE ${isReport(report)}`;

/** The sum of what Stripe has of a customer and meter, of timestamps from `start` until before `end`. */
export async function sumDelivered(
  database: Raw,
  {
    customerId,
    eventName,
    start,
    end,
  }: { customerId: string; eventName: string; start: Instant; end: Instant },
): Promise<number> {
  const [row] = await database.$queryRaw<{ sum: bigint }[]>`
    SELECT coalesce(sum(quantity), 0)::bigint AS sum FROM public.usage_meter_reports
    WHERE stripe_customer_id = ${customerId} AND event_name = ${eventName} AND state = 'delivered'
      AND stamped_at >= ${new Date(start)} AND stamped_at < ${new Date(end)}`;
  return Number(row?.sum ?? 0);
}
