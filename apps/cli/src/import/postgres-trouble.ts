import { isDatabaseUnavailable } from '@billing/store';
import type { Database } from '@billing/store';
import { ImportError } from '@billing/sync';

/** An outage said in one sentence, whatever query met it; any other error as it is. */
export const explainOutage = (error: unknown, place: string): unknown =>
  isDatabaseUnavailable(error)
    ? new ImportError(
        `Postgres at ${place} does not answer. Check DATABASE_URL and that the server runs, then run the same command again: it goes on where it stopped.`,
      )
    : error;

/** Looks once before anything is done: a database that is wrong, or empty, is not found half-way. */
export async function requireDatabase(database: Pick<Database, 'project'>, place: string): Promise<void> {
  try {
    await database.project.findFirst({ select: { id: true } });
  } catch (error) {
    if (isDatabaseUnavailable(error)) throw error;
    throw new ImportError(
      `The database at ${place} can't be used (${reasonOf(error)}). Check DATABASE_URL and that the service's migrations ran there (npm run db:migrate), then run the same command again.`,
    );
  }
}

/** The last line of Prisma's message: the rest shows source code. */
function reasonOf(error: unknown): string {
  const lines = error instanceof Error ? error.message.trim().split('\n') : [];
  return (lines.at(-1) ?? 'unknown').replace(/\.$/, '');
}
