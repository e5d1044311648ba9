import type { Database } from '../create-database.ts';

/** Lets messages go that waited for the cache to know their versions. */
export async function releaseMessages(
  database: Pick<Database, '$executeRaw'>,
  messageIds: readonly string[],
): Promise<void> {
  if (messageIds.length === 0) return;
  await database.$executeRaw`
    UPDATE public.webhook_deliveries SET next_try_at = clock_timestamp()
    WHERE message_id = ANY(${[...messageIds]}::text[]) AND status = 'pending' AND attempts = 0
      AND next_try_at > clock_timestamp()`;
}
