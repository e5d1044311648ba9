import { z } from 'zod';
import { exitOnConfigError } from '../env/config-error.ts';
import { parseEnv } from '../env/parse-env.ts';
import { databaseFields } from '../env/shared-fields.ts';
import { migrate } from './migrate.ts';
import { MigrationError } from './migration-error.ts';

await exitOnConfigError(async () => {
  const { DATABASE_URL } = parseEnv(z.object({ DATABASE_URL: databaseFields.DATABASE_URL }), process.env);
  try {
    const { applied } = await migrate({ databaseUrl: DATABASE_URL });
    const summary = applied.length === 0 ? 'Nothing to migrate.' : `Applied ${applied.join(', ')}.`;
    process.stdout.write(`${summary}\n`);
  } catch (error) {
    if (!(error instanceof MigrationError)) throw error;
    process.stderr.write(`${error.message}\n`);
    process.exitCode = 1;
  }
});
