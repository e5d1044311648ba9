import { z } from 'zod';
import { databaseFields } from '../env/fields.ts';
import { exitOnConfigError, findSettingWarnings, parseEnv } from '../env/parse-env.ts';
import { diffSchema } from './diff-schema.ts';
import { migrate } from './migrate.ts';
import { MigrationError } from './migration-error.ts';

const environment = z.object({ DATABASE_URL: databaseFields.DATABASE_URL });

async function applyMigrations(databaseUrl: string): Promise<string> {
  const { applied } = await migrate({ databaseUrl });
  return applied.length === 0 ? 'Nothing to migrate.' : `Applied ${applied.join(', ')}.`;
}

/** `main.js`: applies the migrations. `main.js diff`: prints the SQL between the migrations and the schema. */
await exitOnConfigError(async () => {
  const { DATABASE_URL } = parseEnv(environment, process.env);
  for (const { event, variable, parameter } of findSettingWarnings(environment, process.env))
    process.stderr.write(`${event}: ${variable}, parameter ${parameter}\n`);
  try {
    const output =
      process.argv[2] === 'diff'
        ? (await diffSchema({ databaseUrl: DATABASE_URL })) || 'Migrations and schema agree.'
        : await applyMigrations(DATABASE_URL);
    process.stdout.write(`${output}\n`);
  } catch (error) {
    if (!(error instanceof MigrationError)) throw error;
    process.stderr.write(`${error.message}\n`);
    process.exitCode = 1;
  }
});
