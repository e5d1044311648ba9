import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createTestDatabase, runServices, startPostgres, waitFor, type TestDatabase } from '@billing/testing';
import { Client } from 'pg';
import { diffSchema } from './diff-schema.ts';
import { migrate } from './migrate.ts';
import { MigrationError } from './migration-error.ts';
import { readMigrations, repositoryMigrationsDir, repositorySchemaPath } from './read-migrations.ts';

let database: TestDatabase;

beforeAll(async () => {
  database = await createTestDatabase();
});

afterAll(async () => {
  await database.drop();
});

async function query(url: string, sql: string): Promise<Record<string, unknown>[]> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query<Record<string, unknown>>(sql)).rows;
  } finally {
    await client.end();
  }
}

/** An empty database on the run's server. */
async function emptyDatabase(name: string): Promise<string> {
  const { postgresUrl } = runServices();
  await query(postgresUrl, `DROP DATABASE IF EXISTS ${name} WITH (FORCE)`);
  await query(postgresUrl, `CREATE DATABASE ${name}`);
  const url = new URL(postgresUrl);
  url.pathname = `/${name}`;
  return url.href;
}

test('keeps the record of what was applied as Prisma does', async () => {
  const names = (await readMigrations(repositoryMigrationsDir)).migrationDirectories.map(({ path }) => path);
  const rows = await query(
    database.ownerUrl,
    `SELECT migration_name, checksum, finished_at IS NOT NULL AS is_finished, rolled_back_at, applied_steps_count
      FROM _prisma_migrations ORDER BY 1`,
  );
  expect(rows.map((row) => row['migration_name'])).toEqual(names);
  for (const row of rows) {
    expect(row).toMatchObject({
      is_finished: true,
      rolled_back_at: null,
      applied_steps_count: 1,
    });
    expect(row['checksum']).toMatch(/^[0-9a-f]{64}$/);
  }
});

test('applies nothing the second time', async () => {
  await expect(migrate({ databaseUrl: database.ownerUrl })).resolves.toEqual({
    applied: [],
    serviceRole: null,
  });
});

test('several processes at once take turns: each migration is applied by one of them', async () => {
  const url = await emptyDatabase('migrate_race');
  const names = (await readMigrations(repositoryMigrationsDir)).migrationDirectories.map(({ path }) => path);
  const results = await Promise.all([1, 2, 3].map(() => migrate({ databaseUrl: url })));
  expect(results.flatMap(({ applied }) => applied)).toEqual(names);
});

test('the schema and the migrations agree', async () => {
  await expect(diffSchema({ databaseUrl: database.ownerUrl })).resolves.toBe('');
});

test('a difference between schema and migrations is returned as SQL', async () => {
  const schemaPath = join(await mkdtemp(join(tmpdir(), 'schema-')), 'schema.prisma');
  const schema = await readFile(repositorySchemaPath, 'utf8');
  await writeFile(schemaPath, `${schema}\nmodel Extra {\n  id String @id\n}\n`);
  await expect(diffSchema({ databaseUrl: database.ownerUrl, schemaPath })).resolves.toMatch(
    /CREATE TABLE "Extra"/,
  );
  await rm(dirname(schemaPath), { recursive: true });
});

test('a server that is out of reach is one line without the password', async () => {
  const attempt = migrate({ databaseUrl: 'postgres://user:hush@127.0.0.1:1/app', waitMs: 200 });
  await expect(attempt).rejects.toThrow(MigrationError);
  await expect(attempt).rejects.toThrow(/127\.0\.0\.1:1\/app \(ECONNREFUSED\)/);
  await expect(attempt).rejects.not.toThrow(/hush/);
});

test('waits for a Postgres that starts later', async () => {
  const first = await startPostgres({ isVolatile: true });
  const { port } = first;
  await first.stop();
  const databaseUrl = first.urlOf('postgres');
  const migrated = migrate({ databaseUrl, waitMs: 20_000 });
  const second = await startPostgres({ isVolatile: true, port });
  expect((await migrated).applied.length).toBeGreaterThan(0);
  await second.stop();
});

describe('a migration beside a long transaction', () => {
  const name = '20990101000000_wide';
  let url: string;
  let migrationsDir: string;
  let reader: Client;

  beforeEach(async () => {
    url = await emptyDatabase('migrate_beside_reader');
    migrationsDir = await mkdtemp(join(tmpdir(), 'migrations-'));
    await add('20980101000000_table', 'CREATE TABLE public.wide (id TEXT PRIMARY KEY);');
    await migrate({ databaseUrl: url, migrationsDir });
    await add(
      name,
      'ALTER TABLE public.wide ADD COLUMN one TEXT;\nALTER TABLE public.wide ADD COLUMN two TEXT;',
    );
    reader = new Client({ connectionString: url });
    await reader.connect();
    await reader.query('BEGIN');
    await reader.query('SELECT * FROM public.wide');
  });
  afterEach(async () => {
    await reader.end();
    await rm(migrationsDir, { recursive: true });
  });

  async function add(folder: string, sql: string): Promise<void> {
    await mkdir(join(migrationsDir, folder));
    await writeFile(join(migrationsDir, folder, 'migration.sql'), sql);
  }
  const failedRows = () => query(url, 'SELECT 1 FROM public._prisma_migrations WHERE finished_at IS NULL');

  it('waits for it, and stops no other reader for longer than a moment', async () => {
    const lines: string[] = [];
    const migrated = migrate({ databaseUrl: url, migrationsDir, say: (line) => lines.push(line) });
    let slowest = 0;
    await waitFor(
      async () => {
        const startedAt = performance.now();
        await query(url, 'SELECT * FROM public.wide');
        slowest = Math.max(slowest, performance.now() - startedAt);
        return lines.length > 0;
      },
      { what: 'the first try to give up', intervalMs: 5 },
    );
    expect(slowest).toBeLessThan(1_000);
    await reader.query('COMMIT');
    expect((await migrated).applied).toEqual([name]);
    expect(await failedRows()).toEqual([]);
  });

  it('that lasts too long gives up, changes nothing, and can be run again', async () => {
    await expect(migrate({ databaseUrl: url, migrationsDir, retryMs: 0 })).rejects.toThrow(
      new RegExp(`^${name} got no lock within 0 minutes`),
    );
    expect(await failedRows()).toEqual([]);
    await reader.query('COMMIT');
    expect((await migrate({ databaseUrl: url, migrationsDir })).applied).toEqual([name]);
  });
});
