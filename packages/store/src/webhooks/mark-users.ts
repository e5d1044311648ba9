import type { Cause } from '@billing/domain';
import { Prisma } from '../generated/client.ts';

/** Whether the project of the row `b` tells changes: looked up row by row, never joined. */
export const tellsChanges = '(SELECT p.tells_changes FROM public.projects p WHERE p.id = b.project_id)';

/**
 * Marks the users (`user_id` null: the project) in the part `bumped` of a statement, where the project tells changes. Written
 * with the change, so that what is committed is told. Imports are told at the rate of fan-outs.
 */
export const markBumped = (cause: Cause | null): Prisma.Sql => Prisma.sql`
  INSERT INTO public.webhook_marks (project_id, user_id, cause, is_paced)
  SELECT b.project_id, b.user_id, ${cause}::text, ${cause === 'import'}
  FROM bumped b WHERE ${Prisma.raw(tellsChanges)}`;
