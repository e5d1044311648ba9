import { setTimeout } from 'node:timers/promises';
import type { Client } from 'pg';
import { applyMigrations } from './apply-migrations.ts';
import { connectWhenReady } from './connect-when-ready.ts';
import { grantServiceRole } from './grant-service-role.ts';
import { MigrationError } from './migration-error.ts';
import { readMigrations, repositoryMigrationsDir } from './read-migrations.ts';

export type MigrateOptions = {
  /** Of the role that owns the tables. */
  readonly databaseUrl: string;
  /** Of the service role, which gets its rights. Absent, or the same role: the owner runs them. */
  readonly serviceUrl?: string;
  /** Default: the repository's `prisma/migrations`. */
  readonly migrationsDir?: string;
  /** How long to wait for a Postgres that is not ready yet; default 30 s. */
  readonly waitMs?: number;
  /** How long to try again where a lock was not to be had; default 10 minutes. */
  readonly retryMs?: number;
  /** Gets one line when that begins. */
  readonly say?: (line: string) => void;
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
  const { retryMs = 600_000, say = () => undefined } = options;
  const migrationsList = await readMigrations(migrationsDir);
  const { client, url } = await connectWhenReady(databaseUrl, waitMs);
  try {
    await takeTurn(client);
    const applied = await applyMigrations({ url, migrationsList, retryMs, say });
    const serviceRole = serviceUrl === undefined ? null : await grantServiceRole(client, serviceUrl);
    await client.query('COMMIT');
    return { applied, serviceRole };
  } finally {
    // The lock belongs to the transaction and ends with it.
    await client.end().catch(() => undefined);
  }
}

/**
 * Begins a transaction that holds the lock until it ends: a session's own lock would be nobody's behind a pooler. Between its
 * statements it has no snapshot, for whose end `CREATE INDEX CONCURRENTLY` would wait; for the same reason it asks for the
 * lock again and again, as a statement that waits keeps one.
 */
async function takeTurn(client: Client): Promise<void> {
  const endsAt = performance.now() + lockWaitMs;
  await client.query(
    'BEGIN ISOLATION LEVEL READ COMMITTED; SET LOCAL idle_in_transaction_session_timeout = 0',
  );
  while (performance.now() < endsAt) {
    // Without parameters: Postgres keeps the snapshot of a statement that has some until the next one.
    const { rows } = await client.query<{ taken: boolean }>(
      `SELECT pg_try_advisory_xact_lock(${advisoryLock}) AS taken`,
    );
    if (rows[0]?.taken === true) return;
    await setTimeout(lockPauseMs * (0.5 + Math.random()));
  }
  throw new MigrationError(
    `Another migration holds the lock for over ${lockWaitMs / 1_000} s. Try again later.`,
  );
}
