import { z } from 'zod';
import { fieldChange } from './runs.ts';

/** Of a change: true tries it. */
export const dryRun = z
  .boolean()
  .default(false)
  .describe('True: answers what would change, and changes nothing.');

/** What a change would do. */
export const dryRunOut = z
  .object({
    changes: z.array(fieldChange),
    affected_users: z
      .number()
      .int()
      .nullable()
      .describe('How many users it concerns; null: more than 10,000.'),
  })
  .meta({ id: 'DryRun' });
export type DryRunOut = z.output<typeof dryRunOut>;

const mostCounted = 10_000;

export const toDryRunOut = (
  tried: Omit<DryRunOut, 'affected_users'> & { affectedUsers: number },
): DryRunOut => ({
  changes: tried.changes,
  affected_users: tried.affectedUsers > mostCounted ? null : tried.affectedUsers,
});
