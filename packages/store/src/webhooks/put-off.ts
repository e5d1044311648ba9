import type { Instant } from '@billing/domain';
import type { UserKey } from '../change-user.ts';
import type { Database } from '../create-database.ts';

/** Lets a user who cannot be told of now wait behind the others: of the marks among what is told at a rate, of time until `until`. */
export async function putOff(
  database: Pick<Database, '$executeRaw'>,
  { projectId, userId }: UserKey,
  { now, until }: { now: Instant; until: Instant },
): Promise<void> {
  await database.$executeRaw`
    UPDATE public.webhook_marks SET is_paced = true, id = nextval('public.webhook_marks_id_seq')
    WHERE project_id = ${projectId} AND user_id = ${userId} AND crossing IS NULL`;
  await database.$executeRaw`
    UPDATE public.webhook_states SET next_change_at = ${new Date(until)}
    WHERE project_id = ${projectId} AND user_id = ${userId} AND next_change_at <= ${new Date(now)}`;
}
