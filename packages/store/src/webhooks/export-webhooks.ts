import type { UserKey } from '../change-user.ts';
import type { Queries } from '../create-database.ts';
import { Prisma } from '../generated/client.ts';

/** What products were told of a user, and what is kept to tell them: rows by table. */
export type ExportedWebhooks = Record<string, Record<string, unknown>[]>;

const ofUser = Prisma.sql`WHERE t.message_id IN (SELECT id FROM own)`;

export async function exportWebhooks(
  tx: Pick<Queries, '$queryRaw'>,
  { projectId, userId }: UserKey,
): Promise<ExportedWebhooks> {
  const rowsOf = async (rows: Prisma.Sql): Promise<Record<string, unknown>[]> => {
    const found = await tx.$queryRaw<{ row: Record<string, unknown> }[]>(rows);
    return found.map(({ row }) => row);
  };
  const isTheirs = Prisma.sql`project_id = ${projectId} AND user_id = ${userId}`;
  const ofMessages = (table: string) => Prisma.sql`
    WITH own AS (SELECT id FROM public.webhook_messages WHERE ${isTheirs})
    SELECT to_jsonb(t) AS row FROM ${Prisma.raw(`public.${table}`)} t ${ofUser} ORDER BY t.id`;
  return {
    webhook_states: await rowsOf(Prisma.sql`
      SELECT to_jsonb(s) - 'digest' AS row FROM public.webhook_states s WHERE ${isTheirs}`),
    webhook_messages: await rowsOf(Prisma.sql`
      SELECT to_jsonb(m) - 'thin' AS row FROM public.webhook_messages m WHERE ${isTheirs} ORDER BY created_at, id`),
    webhook_deliveries: await rowsOf(ofMessages('webhook_deliveries')),
    webhook_attempts: await rowsOf(ofMessages('webhook_attempts')),
  };
}
