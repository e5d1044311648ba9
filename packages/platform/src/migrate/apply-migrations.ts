import { setTimeout as sleep } from 'node:timers/promises';
import type { MigrationList } from '@prisma/schema-engine-wasm';
import { redactText } from '../logging/redact.ts';
import { connectWhenReady } from './connect-when-ready.ts';
import { MigrationError } from './migration-error.ts';
import { sqlState } from './postgres-adapter.ts';
import { openSchemaEngine } from './schema-engine.ts';

export type ApplyOptions = {
  /** Of the primary, as the role that owns the tables. */
  url: string;
  migrationsList: MigrationList;
  /** How long to try again where a lock was not to be had. */
  retryMs: number;
  /** Gets one line when the wait begins. */
  say: (line: string) => void;
};

const pauseMs = 1_000;

/**
 * Applies the missing migrations and returns their names. A migration waits only a moment for each lock and gives up, as everybody
 * who comes after it would wait with it; it is tried again until `retryMs` milliseconds have passed. A try that gave up
 * changes nothing and leaves no row behind. Throws MigrationError.
 */
export async function applyMigrations({
  url,
  migrationsList,
  retryMs,
  say,
}: ApplyOptions): Promise<string[]> {
  const endsAt = performance.now() + retryMs;
  const before = await readApplied(url);
  for (let tries = 1; ; tries += 1)
    try {
      await applyOnce(url, migrationsList);
      const after = await readApplied(url);
      return after.filter((name) => !before.includes(name));
    } catch (error) {
      if (!isGivenUp(error)) throw applyFailed(error);
      await forgetGivenUp(url);
      if (performance.now() > endsAt) throw noLock(error, retryMs);
      if (tries === 1)
        say('A migration waits for a lock that a long transaction holds; it is tried each second.');
      await sleep(pauseMs * (0.75 + Math.random() / 2));
    }
}

async function applyOnce(url: string, migrationsList: MigrationList): Promise<void> {
  await forgetGivenUp(url);
  const { engine, close } = await openSchemaEngine({ databaseUrl: url });
  try {
    await engine.applyMigrations({ migrationsList, filters: { externalTables: [], externalEnums: [] } });
  } finally {
    await close();
  }
}

/** What Postgres ends a migration with in favour of others: no lock in time, or a deadlock. */
const givenUp = ['55P03', '40P01'].map(sqlState).join('|');
const isGivenUp = (error: unknown): boolean => new RegExp(givenUp).test(messageOf(error));

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

const isFinished = 'finished_at IS NOT NULL AND rolled_back_at IS NULL';

/** Names of migrations. */
const readApplied = (url: string): Promise<string[]> =>
  onRecord(
    url,
    `SELECT migration_name AS name FROM public._prisma_migrations WHERE ${isFinished} ORDER BY name`,
  );

/** The engine keeps a row of each failed try, and would refuse to go on. */
const forgetGivenUp = (url: string): Promise<string[]> =>
  onRecord(
    url,
    `DELETE FROM public._prisma_migrations WHERE finished_at IS NULL AND rolled_back_at IS NULL AND logs ~ '${givenUp}'
     RETURNING migration_name AS name`,
  );

/** Runs a statement on the record of migrations, where there is one. */
async function onRecord(url: string, sql: string): Promise<string[]> {
  const { client } = await connectWhenReady(url, pauseMs);
  try {
    const found = await client.query(
      "SELECT to_regclass('public._prisma_migrations') IS NOT NULL AS is_there",
    );
    if (found.rows[0]?.is_there !== true) return [];
    return (await client.query<{ name: string }>(sql)).rows.map(({ name }) => name);
  } finally {
    await client.end();
  }
}

function applyFailed(error: unknown): MigrationError {
  const oneLine = redactText(messageOf(error).replace(/\s+/g, ' ').trim());
  return new MigrationError(`The migrations could not be applied: ${oneLine}`, { cause: error });
}

function noLock(error: unknown, retryMs: number): MigrationError {
  const [, name = 'A migration'] = /migration_name="([^"]+)"/.exec(messageOf(error)) ?? [];
  const minutes = Math.round(retryMs / 6_000) / 10;
  return new MigrationError(
    `${name} got no lock within ${minutes} minutes: a long transaction holds it (pg_stat_activity shows which). Nothing of it was changed. End that transaction, or wait for its end, and run it again.`,
    { cause: error },
  );
}
