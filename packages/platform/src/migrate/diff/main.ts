import { z } from 'zod';
import { exitOnConfigError } from '../../env/config-error.ts';
import { parseEnv } from '../../env/parse-env.ts';
import { databaseFields } from '../../env/shared-fields.ts';
import { diffSchema } from '../diff-schema.ts';

await exitOnConfigError(async () => {
  const { DATABASE_URL } = parseEnv(z.object({ DATABASE_URL: databaseFields.DATABASE_URL }), process.env);
  const sql = await diffSchema({ databaseUrl: DATABASE_URL });
  process.stdout.write(sql === '' ? 'Migrations and schema agree.\n' : `${sql}\n`);
});
