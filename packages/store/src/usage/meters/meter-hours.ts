import { dayMs } from '@billing/domain';
import type { Instant } from '@billing/domain';
import type { Database } from '../../create-database.ts';
import { billedCustomer, isLive } from '../../customers/user-customer.ts';
import { Prisma } from '../../generated/client.ts';
import type { AccountKey } from '../account-key.ts';

type Raw = Pick<Database, '$executeRaw' | '$queryRaw'>;

/** An hour that a worker has taken up; `lookAt` is the end of its lease, and tells it from others. */
export type MeterHour = AccountKey & { hour: Date; lookAt: Date };

const isHour = ({
  projectId,
  userId,
  featureCode,
  hour,
}: Omit<MeterHour, 'lookAt'>): Prisma.Sql => Prisma.sql`
  project_id = ${projectId} AND user_id = ${userId} AND feature_code = ${featureCode} AND hour = ${hour}`;

/** Subscriptions of the row `u` of `users`. */
const ofUser = Prisma.sql`(s.user_ref = u.id OR s.id IN (SELECT o.object_id FROM public.object_owners o WHERE o.user_ref = u.id))`;

/** Hours before are not looked through for the ends of periods. */
const wakesWithinMs = 3 * dayMs;

/**
 * Finds hours in which a period of their user's subscriptions began or ended by now: they are due at that moment, before
 * others, as an invoice waits for them.
 */
export const wakePeriodEnds = (database: Raw, now: Instant): Promise<number> => database.$executeRaw`
  UPDATE public.usage_meter_hours h SET ends_period = true, due_at = least(h.due_at, found.bound)
  FROM (
    SELECT m.project_id, m.user_id, m.feature_code, m.hour, min(b.at) AS bound
    FROM public.usage_meter_hours m
      JOIN public.users u ON u.project_id = m.project_id AND u.user_id = m.user_id
      JOIN public.subscriptions s ON ${ofUser}
      LEFT JOIN public.subscription_items i ON i.subscription_id = s.id
      CROSS JOIN LATERAL (VALUES (i.current_period_start), (i.current_period_end), (s.ended_at), (s.start_date)) AS b (at)
    WHERE m.due_at IS NOT NULL AND NOT m.ends_period AND m.hour > ${new Date(now - wakesWithinMs)}
      AND b.at > m.hour AND b.at <= least(m.hour + interval '1 hour', ${new Date(now)})
    GROUP BY m.project_id, m.user_id, m.feature_code, m.hour) found
  WHERE h.project_id = found.project_id AND h.user_id = found.user_id AND h.feature_code = found.feature_code
    AND h.hour = found.hour`;

/** Hours that waited for their user's Stripe customer, who has one now. */
export const wakeMapped = (database: Raw, now: Instant): Promise<number> => database.$executeRaw`
  UPDATE public.usage_meter_hours h SET waits_since = NULL, look_at = ${new Date(now)}, due_since = ${new Date(now)}
  FROM (
    SELECT w.project_id, w.user_id
    FROM (SELECT DISTINCT project_id, user_id FROM public.usage_meter_hours WHERE waits_since IS NOT NULL) w
      JOIN public.users u ON u.project_id = w.project_id AND u.user_id = w.user_id
    WHERE ${billedCustomer} IS NOT NULL OR EXISTS (
      SELECT FROM public.subscriptions s WHERE ${ofUser} AND s.stripe_customer_id IS NOT NULL AND ${isLive})) mapped
  WHERE h.project_id = mapped.project_id AND h.user_id = mapped.user_id AND h.waits_since IS NOT NULL`;

type Claim = {
  now: Instant;
  /** How long after an hour's end it is looked at, and one that ends a period. */
  delayMs: number;
  endDelayMs: number;
  leaseMs: number;
  limit: number;
};

/** Takes up hours that are due, those that end a period first. Nobody else takes them until the lease is over. */
export async function claimMeterHours(
  database: Raw,
  { now, delayMs, endDelayMs, leaseMs, limit }: Claim,
): Promise<MeterHour[]> {
  const lookAt = new Date(now + leaseMs);
  const rows = await database.$queryRaw<Omit<MeterHour, 'lookAt'>[]>`
    UPDATE public.usage_meter_hours SET look_at = ${lookAt}, due_since = coalesce(due_since, due_at), due_at = NULL
    WHERE ctid = ANY(ARRAY(
      SELECT ctid FROM public.usage_meter_hours
      WHERE (due_at <= ${new Date(now - Math.min(delayMs, endDelayMs))}
          AND (ends_period OR due_at <= ${new Date(now - delayMs)}) AND (look_at IS NULL OR look_at <= ${new Date(now)}))
        OR look_at <= ${new Date(now)}
      ORDER BY ends_period DESC, coalesce(due_since, due_at, look_at), hour
      LIMIT ${limit} FOR UPDATE SKIP LOCKED))
    RETURNING project_id AS "projectId", user_id AS "userId", feature_code AS "featureCode", hour`;
  return rows.map((row) => ({ ...row, lookAt })).toSorted((a, b) => a.hour.getTime() - b.hour.getTime());
}

/**
 * The hour is told as far as it can be. `waitsSince`: for a customer. `dueAt`: there is more to come; usage that was
 * committed meanwhile keeps it due anyway.
 */
export const finishMeterHour = (
  database: Raw,
  hour: MeterHour,
  { waitsSince, dueAt }: { waitsSince: Date | null; dueAt: Date | null },
): Promise<number> => database.$executeRaw`
  UPDATE public.usage_meter_hours SET look_at = NULL, due_since = NULL, due_at = coalesce(due_at, ${dueAt}::timestamptz),
    waits_since = CASE WHEN ${waitsSince}::timestamptz IS NULL THEN NULL ELSE coalesce(waits_since, ${waitsSince}::timestamptz) END
  WHERE ${isHour(hour)} AND look_at = ${hour.lookAt}`;

export const postponeMeterHour = (database: Raw, hour: MeterHour, until: Instant): Promise<number> =>
  database.$executeRaw`
  UPDATE public.usage_meter_hours SET look_at = ${new Date(until)} WHERE ${isHour(hour)} AND look_at = ${hour.lookAt}`;

/** Since when the oldest usage is due that Stripe was not told of (but for what waits for a customer); null: none is. */
export async function readMeterBacklog(
  database: Raw,
  { now, delayMs }: { now: Instant; delayMs: number },
): Promise<Date | null> {
  const [row] = await database.$queryRaw<{ oldest: Date | null }[]>`
    SELECT least(
      (SELECT min(due_since) FROM public.usage_meter_hours WHERE look_at IS NOT NULL),
      (SELECT min(due_at) FROM public.usage_meter_hours WHERE due_at <= ${new Date(now - delayMs)}),
      (SELECT min(created_at) FROM public.usage_meter_reports WHERE state = 'sending')) AS oldest`;
  return row?.oldest ?? null;
}
