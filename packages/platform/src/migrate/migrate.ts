import { setTimeout } from 'node:timers/promises';
import type { MigrationList } from '@prisma/schema-engine-wasm';
import type { Client } from 'pg';
import { redactText } from '../logging/redact.ts';
import { connectWhenReady } from './connect-when-ready.ts';
import { grantServiceRole } from './grant-service-role.ts';
import { MigrationError } from './migration-error.ts';
import { readMigrations, repositoryMigrationsDir } from './read-migrations.ts';
import { openSchemaEngine } from './schema-engine.ts';

export type MigrateOptions = {
  /** Of the role that owns the tables. */
  readonly databaseUrl: string;
  /** Of the service role, which gets its rights. Absent, or the same role: the owner runs them. */
  readonly serviceUrl?: string;
  /** Default: the repository's `prisma/migrations`. */
  readonly migrationsDir?: string;
  /** How long to wait for a Postgres that is not ready yet; default 30 s. */
  readonly waitMs?: number;
};

/** Any fixed number but Prisma's own (72707369), which the engine takes while ours is taken. */
const advisoryLock = 4_242_187_001;
const lockWaitMs = 60_000;
const lockPauseMs = 100;

export type Migrated = {
  /** Names of migrations. */
  applied: string[];
  /** The role that got its rights; null: there is only the owner. */
  serviceRole: string | null;
};

/**
 * Applies the missing migrations and grants the service role its rights. Safe to run from several processes at
 * once: they take turns. Throws MigrationError with one line that says what to do.
 */
export async function migrate(options: MigrateOptions): Promise<Migrated> {
  const { databaseUrl, serviceUrl, migrationsDir = repositoryMigrationsDir, waitMs = 30_000 } = options;
  const migrationsList = await readMigrations(migrationsDir);
  const { client, url } = await connectWhenReady(databaseUrl, waitMs);
  try {
    await takeTurn(client);
    const applied = await apply(url, migrationsList);
    return {
      applied,
      serviceRole: serviceUrl === undefined ? null : await grantServiceRole(client, serviceUrl),
    };
  } finally {
    // The lock belongs to the session and ends with it.
    await client.end().catch(() => undefined);
  }
}

async function apply(databaseUrl: string, migrationsList: MigrationList): Promise<string[]> {
  const { engine, close } = await openSchemaEngine({ databaseUrl });
  try {
    const filters = { externalTables: [], externalEnums: [] };
    return (await engine.applyMigrations({ migrationsList, filters })).appliedMigrationNames;
  } catch (error) {
    throw applyFailed(error);
  } finally {
    await close();
  }
}

/**
 * Asks for the lock again and again. A statement that waits for it would keep a snapshot, for whose end the other's
 * `CREATE INDEX CONCURRENTLY` waits.
 */
async function takeTurn(client: Client): Promise<void> {
  const endsAt = performance.now() + lockWaitMs;
  while (performance.now() < endsAt) {
    const { rows } = await client.query<{ taken: boolean }>('SELECT pg_try_advisory_lock($1) AS taken', [
      advisoryLock,
    ]);
    if (rows[0]?.taken === true) return;
    await setTimeout(lockPauseMs * (0.5 + Math.random()));
  }
  throw new MigrationError(
    `Another migration holds the lock for over ${lockWaitMs / 1_000} s. Try again later.`,
  );
}

function applyFailed(error: unknown): MigrationError {
  const text = error instanceof Error ? error.message : String(error);
  const oneLine = redactText(text.replace(/\s+/g, ' ').trim());
  return new MigrationError(`The migrations could not be applied: ${oneLine}`, { cause: error });
}
