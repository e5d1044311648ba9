import { readFile } from 'node:fs/promises';
import { REPOSITORY_MIGRATIONS_DIR, REPOSITORY_SCHEMA_PATH } from './migrate.ts';
import { readMigrations } from './read-migrations.ts';
import { openSchemaEngine } from './schema-engine.ts';

export interface DiffOptions {
  /** A server that lets us create a database: the migrations are replayed in a shadow one. */
  readonly databaseUrl: string;
  readonly migrationsDir?: string;
  readonly schemaPath?: string;
}

/**
 * The SQL that leads from what the migrations build to what `schema.prisma` says; an empty string when they
 * agree. CHECKs, triggers and collations are invisible to Prisma and are not compared.
 */
export async function diffSchema(options: DiffOptions): Promise<string> {
  const {
    databaseUrl,
    migrationsDir = REPOSITORY_MIGRATIONS_DIR,
    schemaPath = REPOSITORY_SCHEMA_PATH,
  } = options;
  const schema = { path: schemaPath, text: await readFile(schemaPath, 'utf8') };
  const { engine, close } = await openSchemaEngine({ databaseUrl, schema });
  try {
    const { stdout } = await engine.diff({
      from: { tag: 'migrations', ...(await readMigrations(migrationsDir)) },
      to: { tag: 'schemaDatamodel', files: [{ path: schema.path, content: schema.text }] },
      script: true,
      exitCode: null,
      filters: { externalTables: [], externalEnums: [] },
    });
    return withoutEmptyNotice(stdout ?? '');
  } finally {
    await close();
  }
}

function withoutEmptyNotice(script: string): string {
  return script.trim() === '-- This is an empty migration.' ? '' : script.trim();
}
