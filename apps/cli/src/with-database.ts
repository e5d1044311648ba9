import { ConfigError, databaseFields, databaseSettings, parseEnv, placeOf } from '@billing/platform';
import { createDatabase, isDatabaseUnavailable } from '@billing/store';
import type { Database } from '@billing/store';
import { z } from 'zod';
import { CliError } from './commands/cli-error.ts';
import type { Context } from './commands/context.ts';
import { findEnvironment } from './import/connect.ts';

/** Runs `work` on the database that the environment, or else the stack of `npm start`, names. Throws a CliError where it is away. */
export async function withDatabase<T>(
  { env, stackPath }: Pick<Context, 'env' | 'stackPath'>,
  work: (database: Database) => Promise<T>,
): Promise<T> {
  const config = readConfig(findEnvironment(env, stackPath));
  const database = createDatabase({
    url: config.DATABASE_URL,
    poolSize: 1,
    hasPreparedStatements: databaseSettings(config).hasPreparedStatements,
    connectionSeconds: databaseSettings(config).connectionSeconds,
    connectTimeoutMs: 10_000,
    statementTimeoutMs: 60_000,
  });
  try {
    return await work(database);
  } catch (error) {
    if (!isDatabaseUnavailable(error)) throw error;
    throw new CliError('unavailable', `Postgres at ${placeOf(config.DATABASE_URL)} does not answer.`);
  } finally {
    await database.$disconnect();
  }
}

function readConfig(env: Context['env']) {
  try {
    return parseEnv(z.object(databaseFields), env);
  } catch (error) {
    throw error instanceof ConfigError ? new CliError('usage', error.message) : error;
  }
}
