import { mkdirSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { dayMs } from '@billing/domain';
import { migrate } from '@billing/platform';
import { createDatabase } from '@billing/store';
import type { Database } from '@billing/store';
import { ensureDatabase, startPostgres } from '@billing/testing';
import { Client } from 'pg';
import { fillLedger } from './fill.ts';
import { leaveMonth, movePages } from './months.ts';
import { report, timed } from './measure.ts';

/*
 * What the size of the ledger costs: fills one in a Postgres of its own, then measures the statements of an event and a
 * month that leaves. `--dir` keeps the data; a ledger that is there already is used, and migrated if it is older.
 */
const { values } = parseArgs({
  options: {
    rows: { type: 'string', default: '1000000' },
    months: { type: 'string', default: '14' },
    users: { type: 'string', default: '100000' },
    events: { type: 'string', default: '3000' },
    dir: { type: 'string' },
  },
});
const rows = Number(values.rows);
const months = Number(values.months);
const users = Number(values.users);
const events = Number(values.events);

const say = (line: string): void => void process.stdout.write(`${line}\n`);
const settings = { shared_buffers: '2GB', max_wal_size: '2GB', maintenance_work_mem: '1GB' };
if (values.dir !== undefined) mkdirSync(values.dir, { recursive: true });
const postgres = await startPostgres({ ...(values.dir && { dir: values.dir }), isVolatile: true, settings });
const databaseUrl = await ensureDatabase(postgres, 'growth');
const [{ applied }, migrateMs] = await timed(() => migrate({ databaseUrl }));
say(`${applied.length} migrations in ${(migrateMs / 1000).toFixed(1)} s`);
const client = new Client({ connectionString: databaseUrl });
await client.connect();

async function sizes(): Promise<void> {
  const { rows: tables } = await client.query<{ name: string; size: string; rows: string }>(`
    SELECT coalesce(i.inhparent, c.oid)::regclass::text AS name, pg_size_pretty(sum(pg_table_size(c.oid))) || ' + '
      || pg_size_pretty(sum(pg_indexes_size(c.oid))) AS size, sum(c.reltuples)::bigint AS rows
    FROM pg_class c LEFT JOIN pg_inherits i ON i.inhrelid = c.oid
    WHERE c.relkind = 'r' AND c.relname ~ '^(stripe_event|users|subscription)' GROUP BY 1 ORDER BY 1`);
  for (const table of tables) say(`${table.name}: ${table.rows} rows, ${table.size} (table + indexes)`);
}

/** How many of the updates found room on the row's own page, and so wrote no index. */
async function inPlace(): Promise<void> {
  await client.query('SELECT pg_stat_force_next_flush()');
  const { rows: tables } = await client.query<{ name: string; updated: string; hot: string }>(`
    SELECT relname AS name, n_tup_upd AS updated, n_tup_hot_upd AS hot FROM pg_stat_user_tables
    WHERE n_tup_upd > 0 ORDER BY 1`);
  for (const { name, updated, hot } of tables) say(`${name}: ${hot} of ${updated} updates in place`);
}

const open = (poolSize: number): Database =>
  createDatabase({ url: databaseUrl, poolSize, connectTimeoutMs: 5_000, statementTimeoutMs: 60_000 });

async function measureEvents(): Promise<void> {
  const database = open(1);
  for (const size of [1, 64])
    say(await report({ database, client }, { users, size, count: size === 1 ? events : events / 10 }));
  await database.$disconnect();
  await inPlace();
}

async function measureMonths(): Promise<void> {
  const database = open(4);
  say(await movePages(database, { pages: 100, users }));
  say(await leaveMonth({ database, client }, { users, before: Date.now() - 60 * dayMs }));
  await database.$disconnect();
}

const { rows: known } = await client.query(`SELECT FROM public.projects WHERE id = 'growth'`);
if (known.length === 0) {
  const [, fillMs] = await timed(() => fillLedger(client, { rows, months, users, say }));
  say(`filled in ${(fillMs / 1000).toFixed(0)} s`);
}
await sizes();
await measureEvents();
const { rows: tables } = await client.query(`SELECT to_regclass('public.stripe_event_payloads') AS name`);
if (tables[0]?.name !== null) await measureMonths();
await client.end();
await postgres.stop();
