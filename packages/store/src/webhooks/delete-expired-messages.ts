import type { Database } from '../create-database.ts';

const atOnce = 1_000;

/**
 * Deletes a part of the messages made before a moment, with their deliveries and attempts, but those that still wait to be
 * sent; then endpoints that were deleted before it and that nothing names any more. True: there may be more.
 */
export async function deleteExpiredMessages(
  database: Database,
  { before }: { before: Date },
): Promise<{ deleted: number; hasMore: boolean }> {
  return database.$transaction(async (tx) => {
    const deleted = await tx.$executeRaw`
      DELETE FROM public.webhook_messages WHERE id = ANY(ARRAY(
        SELECT m.id FROM public.webhook_messages m
        WHERE m.created_at < ${before} AND NOT EXISTS (
          SELECT FROM public.webhook_deliveries d WHERE d.message_id = m.id AND d.status = 'pending')
        ORDER BY m.created_at LIMIT ${atOnce}))`;
    if (deleted < atOnce)
      await tx.$executeRaw`
        DELETE FROM public.webhook_endpoints e WHERE e.deleted_at < ${before}
          AND NOT EXISTS (SELECT FROM public.webhook_deliveries d WHERE d.endpoint_id = e.id)`;
    return { deleted, hasMore: deleted === atOnce };
  });
}
