import { ErasureKeyMissing, eraseUser, findErasedAgain, publishInvalidations } from '@billing/store';
import { CliError } from '../commands/cli-error.ts';
import type { Context } from '../commands/context.ts';
import { connect, findEnvironment } from '../import/connect.ts';
import { explainOutage, requireDatabase } from '../import/postgres-trouble.ts';

const actor = { name: 'erase --again', requestId: null } as const;

export type AgainOptions = { isDryRun: boolean };

/**
 * Erases all again whom a restore brought back: the database itself is read, as tombstones hold no ids. The worker does the
 * rest, as after every erasure. Returns how many there were, and the runs.
 */
export async function eraseAgain(
  context: Pick<Context, 'env' | 'stackPath' | 'say'>,
  { isDryRun }: AgainOptions,
): Promise<{ users: number; runs: string[] }> {
  const { sync, databaseAt, close } = connect(findEnvironment(context.env, context.stackPath));
  const { database, erasureKeys } = sync;
  try {
    await requireDatabase(database, databaseAt);
    const users = await findErasedAgain(database, erasureKeys);
    const runs: string[] = [];
    for (const { projectId, userId, erasedAt } of isDryRun ? [] : users) {
      const reason = 'repeated after a restore';
      const order = { projectId, userId, reason, isAtStripe: false, again: erasedAt };
      const { result, pending } = await eraseUser(database, erasureKeys, { order, actor });
      await publishInvalidations(sync, pending);
      runs.push(result.runId);
      context.say(`${runs.length} of ${users.length}`);
    }
    return { users: users.length, runs };
  } catch (error) {
    if (error instanceof ErasureKeyMissing) throw new CliError('refused', error.message);
    throw explainOutage(error, databaseAt);
  } finally {
    await close();
  }
}
