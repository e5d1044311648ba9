import { slotMs } from '@billing/domain';
import type { Instant } from '@billing/domain';
import type { Database } from '../create-database.ts';
import { Prisma } from '../generated/client.ts';

/** Who used most of a feature in whole slots of a time. */
export type TopUsers = {
  from: Instant;
  to: Instant;
  users: number;
  quantity: number;
  top: { userId: string; quantity: number; overage: number }[];
};

type Asked = { projectId: string; featureCode: string; from: Instant; to: Instant; limit: number };

/** Reads all slots of that time: its length is for the caller to limit. */
export async function readTopUsers(
  database: Pick<Database, '$queryJson'>,
  { projectId, featureCode, from, to, limit }: Asked,
): Promise<TopUsers> {
  const bounds = { from: Math.floor(from / slotMs) * slotMs, to: Math.ceil(to / slotMs) * slotMs };
  const read = await database.$queryJson<Omit<TopUsers, 'from' | 'to'>>(Prisma.sql`
    WITH used AS MATERIALIZED (
      SELECT user_id, sum(quantity)::bigint AS quantity, sum(overage)::bigint AS overage FROM public.usage_slots
      WHERE project_id = ${projectId} AND feature_code = ${featureCode}
        AND start >= ${new Date(bounds.from)}::timestamptz AND start < ${new Date(bounds.to)}::timestamptz
      GROUP BY user_id)
    SELECT json_build_object(
      'users', (SELECT count(*) FROM used),
      'quantity', (SELECT coalesce(sum(quantity), 0)::bigint FROM used),
      'top', (SELECT coalesce(json_agg(json_build_object('userId', user_id, 'quantity', quantity, 'overage', overage)
          ORDER BY quantity DESC, user_id), '[]')
        FROM (SELECT * FROM used ORDER BY quantity DESC, user_id LIMIT ${limit}) most))`);
  return { ...bounds, ...read };
}
