import type { Queries } from '../create-database.ts';
import type { UserKey } from '../change-user.ts';

/** Deletes what a project was told of a user, and what it was to be told, deliveries and attempts too. */
export async function forgetTold(
  tx: Pick<Queries, '$executeRaw'>,
  { projectId, userId }: UserKey,
): Promise<void> {
  await tx.$executeRaw`DELETE FROM public.webhook_marks WHERE project_id = ${projectId} AND user_id = ${userId}`;
  await tx.$executeRaw`DELETE FROM public.webhook_states WHERE project_id = ${projectId} AND user_id = ${userId}`;
  await tx.$executeRaw`DELETE FROM public.webhook_messages WHERE project_id = ${projectId} AND user_id = ${userId}`;
}
