import { findMigrationProblem, readMigrationNames } from '@billing/platform';
import type { Finding } from '@billing/platform';
import type { Database } from './create-database.ts';
import { inRecovery, isInRecovery } from './database-errors.ts';

/** Behind a pooler a session may come to lead to another server. */
type ServerState = { isInRecovery: boolean; isReadOnly: boolean; hasMigrations: boolean };

type CheckedDatabase = Pick<Database, '$queryRaw' | 'refusedParameters'>;

/** The check of Postgres for `/ready`: whether this version of the service can use it. Rejects where it is out of reach. */
export function createDatabaseCheck(database: CheckedDatabase): () => Promise<Finding> {
  let known: readonly string[] | undefined;
  return async () => {
    try {
      known ??= await readMigrationNames();
    } catch (error) {
      return { state: 'blocked', says: error instanceof Error ? error.message : 'no migrations were found' };
    }
    try {
      return await checkDatabase(database, known);
    } catch (error) {
      if (!isInRecovery(error)) throw error;
      return { state: 'away', says: inRecovery };
    }
  };
}

async function checkDatabase(database: CheckedDatabase, known: readonly string[]): Promise<Finding> {
  const [server] = await database.$queryRaw<ServerState[]>`
    SELECT pg_is_in_recovery() AS "isInRecovery", current_setting('transaction_read_only') = 'on' AS "isReadOnly",
      to_regclass('public._prisma_migrations') IS NOT NULL AS "hasMigrations"`;
  if (server === undefined) throw new Error('Postgres answered no row');
  if (server.isInRecovery) return { state: 'away', says: inRecovery };
  const applied = server.hasMigrations ? await readApplied(database) : [];
  const problem = findMigrationProblem({ known, applied });
  if (problem !== null) return { state: 'blocked', says: problem };
  if (server.isReadOnly) return { state: 'impaired', says: 'refuses writes' };
  const refused = database.refusedParameters();
  if (refused.length === 0) return { state: 'ok' };
  return { state: 'noted', says: `start-up parameters refused by the pooler: ${refused.join(', ')}` };
}

async function readApplied(database: Pick<Database, '$queryRaw'>): Promise<string[]> {
  const rows = await database.$queryRaw<{ name: string }[]>`
    SELECT migration_name AS name FROM public._prisma_migrations
    WHERE finished_at IS NOT NULL AND rolled_back_at IS NULL`;
  return rows.map(({ name }) => name);
}
