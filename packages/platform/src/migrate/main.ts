import { z } from 'zod';
import { databaseFields, envVar } from '../env/fields.ts';
import { exitOnConfigError, findSettingWarnings, parseEnv } from '../env/parse-env.ts';
import { diffSchema } from './diff-schema.ts';
import { migrate } from './migrate.ts';
import type { MigrateOptions } from './migrate.ts';
import { MigrationError } from './migration-error.ts';

const environment = z.object({
  DATABASE_URL: databaseFields.DATABASE_URL,
  /** The owner of the tables. Unset: the role of DATABASE_URL is it. */
  MIGRATE_DATABASE_URL: databaseFields.DATABASE_URL.optional(),
  /** How long a migration that gets no lock is tried again. */
  MIGRATE_RETRY_MINUTES: envVar.number({ min: 0, max: 1_440, default: 10 }),
});

const say = (line: string): void => void process.stderr.write(`${line}\n`);

async function applyAll(options: MigrateOptions): Promise<string> {
  const { applied, serviceRole } = await migrate(options);
  const rights = serviceRole === null ? '' : ` The role ${serviceRole} has its rights.`;
  return `${applied.length === 0 ? 'Nothing to migrate.' : `Applied ${applied.join(', ')}.`}${rights}`;
}

/** `main.js`: applies the migrations. `main.js diff`: prints the SQL between the migrations and the schema. */
await exitOnConfigError(async () => {
  const config = parseEnv(environment, process.env);
  const databaseUrl = config.MIGRATE_DATABASE_URL ?? config.DATABASE_URL;
  const retryMs = config.MIGRATE_RETRY_MINUTES * 60_000;
  for (const { event, variable, parameter } of findSettingWarnings(environment, process.env))
    say(`${event}: ${variable}, parameter ${parameter}`);
  try {
    const output =
      process.argv[2] === 'diff'
        ? (await diffSchema({ databaseUrl })) || 'Migrations and schema agree.'
        : await applyAll({ databaseUrl, serviceUrl: config.DATABASE_URL, retryMs, say });
    process.stdout.write(`${output}\n`);
  } catch (error) {
    if (!(error instanceof MigrationError)) throw error;
    say(error.message);
    process.exitCode = 1;
  }
});
