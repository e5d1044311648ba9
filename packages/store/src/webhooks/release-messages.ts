import type { Database } from '../create-database.ts';
import { Prisma } from '../generated/client.ts';
import { stillPending, thenByIndex } from './read-by-index.ts';

/** Lets messages go that waited for the cache to know their versions. */
export async function releaseMessages(
  database: Pick<Database, '$transactJson'>,
  messageIds: readonly string[],
): Promise<void> {
  if (messageIds.length === 0) return;
  await database.$transactJson(async (query) => {
    await query(Prisma.sql`SELECT ${Prisma.raw(thenByIndex("'{}'"))}`);
    await query(Prisma.sql`
      WITH released AS (
        UPDATE public.webhook_deliveries d SET next_try_at = clock_timestamp()
        WHERE d.message_id = ANY(${[...messageIds]}::text[]) AND ${Prisma.raw(stillPending('d'))} AND d.attempts = 0
          AND d.next_try_at > clock_timestamp() RETURNING 1)
      SELECT json_build_object('released', (SELECT count(*) FROM released))`);
  });
}
