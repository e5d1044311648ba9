import type { MeterReportsQuery } from '@billing/domain';
import type { Database } from '../../create-database.ts';
import { Prisma } from '../../generated/client.ts';
import { decodeCursor, timeAndIdKey, toPage } from '../../page.ts';
import type { Page } from '../../page.ts';

/** An hour that is not reported yet, or a report. */
export type ListedReport = {
  projectId: string;
  userId: string;
  featureCode: string;
  hour: Date;
  state: NonNullable<MeterReportsQuery['state']>;
  sequence: number | null;
  quantity: number | null;
  eventName: string | null;
  customerId: string | null;
  since: Date;
  attempts: number;
  problem: string | null;
};

type Row = Omit<ListedReport, 'quantity'> & { quantity: bigint | null; key: string };

const nothing = Prisma.sql`NULL::integer AS sequence, NULL::bigint AS quantity, NULL::text AS event_name,
  NULL::text AS stripe_customer_id`;

/** Newest hour first. `state` absent: all but what was delivered. */
export async function listMeterReports(
  database: Pick<Database, '$queryRaw'>,
  {
    limit,
    cursor,
    project_id: projectId,
    state,
    onlyProject,
    now,
  }: MeterReportsQuery & { onlyProject: string | null; now: number },
): Promise<Page<ListedReport>> {
  const after = cursor === undefined ? null : decodeCursor(timeAndIdKey, cursor);
  const rows = await database.$queryRaw<Row[]>`
    SELECT project_id AS "projectId", user_id AS "userId", feature_code AS "featureCode", hour, state, sequence, quantity,
      event_name AS "eventName", stripe_customer_id AS "customerId", since, attempts, problem, key
    FROM (
      SELECT *, md5(concat_ws(' ', project_id, user_id, feature_code, state, sequence)) AS key FROM (
        SELECT project_id, user_id, feature_code, hour,
          CASE WHEN waits_since IS NOT NULL THEN 'waiting' ELSE 'due' END AS state, ${nothing},
          coalesce(waits_since, due_since, due_at) AS since, 0 AS attempts, NULL::text AS problem
        FROM public.usage_meter_hours
        WHERE waits_since IS NOT NULL OR look_at IS NOT NULL OR due_at <= ${new Date(now)}
        UNION ALL
        SELECT project_id, user_id, feature_code, hour, state, sequence, quantity, event_name, stripe_customer_id,
          created_at, attempts, problem
        FROM public.usage_meter_reports
        WHERE state <> 'delivered' OR ${state ?? ''} = 'delivered') every
      WHERE (${state ?? ''} = '' OR state = ${state ?? ''})
        AND (${projectId ?? ''} = '' OR project_id = ${projectId ?? ''})
        AND (${onlyProject ?? ''} = '' OR project_id = ${onlyProject ?? ''})) listed
    WHERE ${after === null} OR (hour, key) < (${new Date(after?.[0] ?? 0)}, ${after?.[1] ?? ''})
    ORDER BY hour DESC, key COLLATE "C" DESC LIMIT ${limit + 1}`;
  const page = toPage(rows, limit, ({ hour, key }) => [hour.getTime(), key]);
  return {
    ...page,
    rows: page.rows.map((row) => ({
      ...row,
      quantity: row.quantity === null ? null : Number(row.quantity),
    })),
  };
}
