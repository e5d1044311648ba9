import { z } from 'zod';
import { databaseFields } from '../env/fields.ts';
import { exitOnConfigError, findSettingWarnings, parseEnv } from '../env/parse-env.ts';
import { diffSchema } from './diff-schema.ts';
import { migrate } from './migrate.ts';
import { MigrationError } from './migration-error.ts';

const environment = z.object({
  DATABASE_URL: databaseFields.DATABASE_URL,
  /** The owner of the tables. Unset: the role of DATABASE_URL is it. */
  MIGRATE_DATABASE_URL: databaseFields.DATABASE_URL.optional(),
});

async function applyMigrations(databaseUrl: string, serviceUrl: string): Promise<string> {
  const { applied, serviceRole } = await migrate({ databaseUrl, serviceUrl });
  const rights = serviceRole === null ? '' : ` The role ${serviceRole} has its rights.`;
  return `${applied.length === 0 ? 'Nothing to migrate.' : `Applied ${applied.join(', ')}.`}${rights}`;
}

/** `main.js`: applies the migrations. `main.js diff`: prints the SQL between the migrations and the schema. */
await exitOnConfigError(async () => {
  const { DATABASE_URL: serviceUrl, MIGRATE_DATABASE_URL } = parseEnv(environment, process.env);
  const databaseUrl = MIGRATE_DATABASE_URL ?? serviceUrl;
  for (const { event, variable, parameter } of findSettingWarnings(environment, process.env))
    process.stderr.write(`${event}: ${variable}, parameter ${parameter}\n`);
  try {
    const output =
      process.argv[2] === 'diff'
        ? (await diffSchema({ databaseUrl })) || 'Migrations and schema agree.'
        : await applyMigrations(databaseUrl, serviceUrl);
    process.stdout.write(`${output}\n`);
  } catch (error) {
    if (!(error instanceof MigrationError)) throw error;
    process.stderr.write(`${error.message}\n`);
    process.exitCode = 1;
  }
});
