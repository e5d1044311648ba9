import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { MigrationList } from '@prisma/schema-engine-wasm';
import { MigrationError } from './migration-error.ts';

// The same depth below the repository from `src` and from `dist`.
const inPrismaFolder = (name: string): string =>
  fileURLToPath(new URL(`../../../../prisma/${name}`, import.meta.url));
export const repositoryMigrationsDir = inPrismaFolder('migrations');
export const repositorySchemaPath = inPrismaFolder('schema.prisma');
export const repositoryGrantsPath = inPrismaFolder('service-role.sql');

/** The names of the migrations in a folder, in the order in which they are applied. Default: this version's own. */
export async function readMigrationNames(migrationsDir = repositoryMigrationsDir): Promise<string[]> {
  const entries = await readdir(migrationsDir, { withFileTypes: true }).catch(() => {
    throw new MigrationError(`The migrations folder ${migrationsDir} can't be read.`);
  });
  return entries
    .filter((entry) => entry.isDirectory())
    .map((entry) => entry.name)
    .sort();
}

/** Reads a folder of Prisma migrations (`<name>/migration.sql`, applied in the order of their names). */
export async function readMigrations(migrationsDir: string): Promise<MigrationList> {
  const names = await readMigrationNames(migrationsDir);
  const migrationDirectories = await Promise.all(
    names.map(async (name) => {
      const content = await readFile(join(migrationsDir, name, 'migration.sql'), 'utf8');
      return {
        path: name,
        migrationFile: { path: 'migration.sql', content: { tag: 'ok' as const, value: content } },
      };
    }),
  );
  const lockfile = await readFile(join(migrationsDir, 'migration_lock.toml'), 'utf8').catch(() => null);
  return {
    baseDir: migrationsDir,
    lockfile: { path: 'migration_lock.toml', content: lockfile },
    shadowDbInitScript: '',
    migrationDirectories,
  };
}
