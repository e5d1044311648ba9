import type { Database, Queries } from './create-database.ts';

/** Ends the transaction of a dry run, so that nothing of it stays. */
class RolledBack extends Error {
  override readonly name = 'RolledBack';
}

/**
 * Runs a change in a transaction and returns what it came to. A dry run does all of it, and is then rolled back: it answers
 * what the change itself would, refusals included.
 */
export async function changeOrTry<T>(
  database: Database,
  { isDryRun }: { isDryRun: boolean },
  change: (tx: Queries) => Promise<T>,
): Promise<T> {
  let tried: { result: T } | undefined;
  try {
    return await database.$transaction(async (tx) => {
      const result = await change(tx);
      if (!isDryRun) return result;
      tried = { result };
      throw new RolledBack();
    });
  } catch (error) {
    if (error instanceof RolledBack && tried !== undefined) return tried.result;
    throw error;
  }
}
