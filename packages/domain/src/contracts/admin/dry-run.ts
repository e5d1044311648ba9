import { z } from 'zod';
import { queryFlag } from '../query-flag.ts';
import { fieldChange } from './runs.ts';

const meaning = 'True: answers what would change, and changes nothing.';

/** In the body of a change: true tries it. */
export const dryRun = z.boolean().optional().describe(meaning);

/** The same in the query, of a call without a body. */
export const dryRunQuery = z.strictObject({ dry_run: queryFlag(meaning) });

/** What a change would do. */
export const dryRunOut = z
  .object({
    changes: z.array(fieldChange),
    affected_users: z
      .number()
      .int()
      .nullable()
      .describe(
        'How many users may get another answer, or are given or lose something: holders of what is changed. Null: more than 10,000.',
      ),
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
