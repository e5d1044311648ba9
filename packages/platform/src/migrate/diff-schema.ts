import { readFile } from 'node:fs/promises';
import { hostUrls } from '../env/host-urls.ts';
import { readMigrations, repositoryMigrationsDir, repositorySchemaPath } from './read-migrations.ts';
import { openSchemaEngine } from './schema-engine.ts';

export type DiffOptions = {
  /** A server on which a database can be created: the migrations are replayed in a shadow one. */
  readonly databaseUrl: string;
  readonly migrationsDir?: string;
  readonly schemaPath?: string;
};

/**
 * The SQL that turns what the migrations build into what `schema.prisma` says; an empty string when they agree.
 * CHECKs, triggers and collations are invisible to Prisma and are not compared.
 */
export async function diffSchema(options: DiffOptions): Promise<string> {
  const { databaseUrl, migrationsDir = repositoryMigrationsDir, schemaPath = repositorySchemaPath } = options;
  const schema = { path: schemaPath, text: await readFile(schemaPath, 'utf8') };
  const [url] = hostUrls(databaseUrl);
  const { engine, close } = await openSchemaEngine({ databaseUrl: url, schema });
  try {
    const { stdout } = await engine.diff({
      from: { tag: 'migrations', ...(await readMigrations(migrationsDir)) },
      to: { tag: 'schemaDatamodel', files: [{ path: schema.path, content: schema.text }] },
      script: true,
      exitCode: null,
      filters: { externalTables: [], externalEnums: [] },
    });
    const script = (stdout ?? '').trim();
    return script === '-- This is an empty migration.' ? '' : script;
  } finally {
    await close();
  }
}
