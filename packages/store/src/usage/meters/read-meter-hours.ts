import { minuteMs } from '@billing/domain';
import type { CountedSegment, Instant, MeterReport, MeterSegment, MeterSources } from '@billing/domain';
import { soldAs } from '../../catalog/sold-as.ts';
import type { Database } from '../../create-database.ts';
import { billedCustomer } from '../../customers/user-customer.ts';
import { Prisma } from '../../generated/client.ts';
import { columnsOf } from '../account-key.ts';
import type { AccountKey } from '../account-key.ts';
import type { MeterHour } from './meter-hours.ts';

type Json = Pick<Database, '$queryJson'>;

const ms = (column: string): Prisma.Sql => Prisma.raw(`(extract(epoch FROM ${column}) * 1000)::bigint`);

/** What was used in an hour, what was told of it, and whether something of it is under way. */
export type ReadMeterHour = {
  quantity: number;
  overage: number;
  reports: MeterReport[];
  /** Until when a report waits for its answer; null: none does. */
  sendingUntil: Instant | null;
  sources: MeterSources;
};

const subscriptionsJson = Prisma.sql`
  SELECT json_agg(json_build_object('customerId', s.stripe_customer_id, 'status', s.status,
    'start', coalesce(${ms('s.start_date')}, heard.start, ${ms('s.created_at')}), 'end', ${ms('s.ended_at')},
    'trialEnd', ${ms('s.trial_end')}, 'items', coalesce(heard.items, '[]'::json)))
  FROM public.subscriptions s
  LEFT JOIN LATERAL (
    SELECT min(${ms('coalesce(i.first_period_start, i.current_period_start)')}) AS start, json_agg(json_build_object(
      'start', ${ms('i.current_period_start')}, 'end', ${ms('i.current_period_end')},
      'isMetered', coalesce(i.usage_type = 'metered', false),
      'meter', CASE WHEN products.project_id = asked.project_id AND asked.feature_code = ANY(products.feature_codes)
        THEN products.features -> asked.feature_code -> 'stripe_meter' END)) AS items
    FROM public.subscription_items i ${soldAs}
    WHERE i.subscription_id = s.id) heard ON true
  WHERE s.user_ref = u.id OR s.id IN (SELECT o.object_id FROM public.object_owners o WHERE o.user_ref = u.id)`;

/** All that is to be compared, of one snapshot. In the order of `hours`. */
export function readMeterHours(database: Json, hours: readonly MeterHour[]): Promise<ReadMeterHour[]> {
  const { projects, users, features } = columnsOf(hours);
  const starts = hours.map(({ hour }) => hour.toISOString());
  return database.$queryJson<ReadMeterHour[]>(Prisma.sql`
    SELECT coalesce(json_agg(one ORDER BY one.position), '[]') FROM (
      SELECT asked.position, coalesce(used.quantity, 0) AS quantity, coalesce(used.overage, 0) AS overage,
        coalesce(told.reports, '[]'::json) AS reports, told.until AS "sendingUntil",
        json_build_object(
          'meter', (SELECT f.stripe_meter FROM public.features f
            WHERE f.project_id = asked.project_id AND f.feature_code = asked.feature_code),
          'customerId', CASE WHEN u.id IS NOT NULL THEN ${billedCustomer} END,
          'subscriptions', coalesce((${subscriptionsJson}), '[]'::json)) AS sources
      FROM unnest(${projects}::text[], ${users}::text[], ${features}::text[], ${starts}::text[]) WITH ORDINALITY
          AS given (project_id, user_id, feature_code, start, position)
        CROSS JOIN LATERAL (SELECT given.project_id COLLATE "C" AS project_id, given.user_id COLLATE "C" AS user_id,
          given.feature_code COLLATE "C" AS feature_code, given.start::timestamptz AS hour, given.position) asked
        LEFT JOIN public.users u ON u.project_id = asked.project_id AND u.user_id = asked.user_id
        LEFT JOIN LATERAL (
          SELECT sum(l.quantity)::bigint AS quantity, sum(l.overage)::bigint AS overage FROM public.usage_slots l
          WHERE l.project_id = asked.project_id AND l.user_id = asked.user_id AND l.feature_code = asked.feature_code
            AND l.start >= asked.hour AND l.start < asked.hour + interval '1 hour') used ON true
        LEFT JOIN LATERAL (
          SELECT json_agg(json_build_object('sequence', r.sequence, 'quantity', r.quantity, 'at', ${ms('r.stamped_at')},
              'eventName', r.event_name, 'report', r.report, 'customerId', r.stripe_customer_id) ORDER BY r.sequence) AS reports,
            max(${ms('r.look_at')}) FILTER (WHERE r.state = 'sending') AS until
          FROM public.usage_meter_reports r
          WHERE r.project_id = asked.project_id AND r.user_id = asked.user_id AND r.feature_code = asked.feature_code
            AND r.hour = asked.hour) told ON true) one`);
}

/** What was used in parts of an hour, from the events themselves. Events are told at most 5 minutes ahead of their time. */
export function countSegments(
  database: Json,
  key: AccountKey,
  segments: readonly MeterSegment[],
): Promise<CountedSegment[]> {
  const first = Math.min(...segments.map(({ start }) => start));
  return database.$queryJson<CountedSegment[]>(Prisma.sql`
    SELECT coalesce(json_agg(json_build_object('start', part.start, 'end', part.until, 'quantity', counted.quantity,
      'overage', counted.overage) ORDER BY part.start), '[]')
    FROM unnest(${segments.map(({ start }) => start)}::bigint[], ${segments.map(({ end }) => end)}::bigint[]) AS part (start, until)
      CROSS JOIN LATERAL (
        SELECT coalesce(sum(e.quantity), 0)::bigint AS quantity, coalesce(sum((
          SELECT sum((p.part ->> 'overage')::bigint) FROM jsonb_array_elements(e.parts) AS p (part))), 0)::bigint AS overage
        FROM public.usage_events e
        WHERE e.project_id = ${key.projectId} AND e.user_id = ${key.userId} AND e.feature_code = ${key.featureCode}
          AND e.recorded_at >= ${new Date(first - 10 * minuteMs)}
          AND e.happened_at >= to_timestamp(part.start / 1000.0) AND e.happened_at < to_timestamp(part.until / 1000.0)) counted`);
}
