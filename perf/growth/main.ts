import { mkdirSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { migrate } from '@billing/platform';
import {
  createDatabase,
  createErasureKeys,
  findUsers,
  listAudit,
  listEvents,
  listQuarantine,
  readProjectMetrics,
  readSources,
  readUser,
  sumChanges,
  sumNextPage,
} from '@billing/store';
import type { Database } from '@billing/store';
import { ensureDatabase, startPostgres } from '@billing/testing';
import { Client } from 'pg';
import { applyEvents, median, timed } from '../ledger-growth/measure.ts';
import { fillUsers } from './fill.ts';

/*
 * What the number of users costs: fills users with a subscription each in a Postgres of its own, then measures what reads
 * them, at each size of `--users` in turn. `--dir` keeps the data, and users that are there already are used.
 */
const { values } = parseArgs({
  options: {
    users: { type: 'string', default: '100000,1000000' },
    dir: { type: 'string' },
    rounds: { type: 'string', default: '300' },
  },
});
const rounds = Number(values.rounds);
const say = (line: string): void => void process.stdout.write(`${line}\n`);
const settings = { shared_buffers: '1GB', max_wal_size: '4GB', maintenance_work_mem: '512MB' };
if (values.dir !== undefined) mkdirSync(values.dir, { recursive: true });
const postgres = await startPostgres({ ...(values.dir && { dir: values.dir }), isVolatile: true, settings });
const databaseUrl = await ensureDatabase(postgres, 'growth');
await migrate({ databaseUrl });
const client = new Client({ connectionString: databaseUrl });
await client.connect();
const database: Database = createDatabase({
  url: databaseUrl,
  poolSize: 1,
  connectTimeoutMs: 5_000,
  statementTimeoutMs: 300_000,
});
const actor = { name: 'growth', requestId: null };
const erasureKeys = createErasureKeys([]);

async function measure(
  name: string,
  { count = rounds, run }: { count?: number; run: () => Promise<unknown> },
): Promise<void> {
  const times: number[] = [];
  for (let round = 0; round < count; round += 1) times.push((await timed(run))[1]);
  say(`| ${name} | ${median(times).toFixed(1)} ms | ${median(times, 0.95).toFixed(1)} ms |`);
}

const metrics = () =>
  readProjectMetrics(database, { projectId: 'growth', now: Date.now(), pastDueGraceDays: 7 });

async function sumAll(): Promise<void> {
  while (await sumNextPage(database));
  while (await sumChanges(database));
}

const find = (query: string) => findUsers(database, { query }, { actor, erasureKeys });

async function measureAll(users: number): Promise<void> {
  const anyone = (): number => Math.floor(Math.random() * users);
  say(`| ${users} users | p50 | p95 |`);
  await measure('check, miss', {
    run: () => readSources(database, 'growth', [`user_${anyone()}`]),
  });
  await measure('user', {
    run: () => readUser(database, { projectId: 'growth', userId: `user_${anyone()}` }, actor),
  });
  for (const [name, query] of [
    ['user id', () => `user_${anyone()}`],
    ['subscription', () => `sub_${anyone()}`],
    ['customer', () => `cus_${anyone()}`],
    ['invoice', () => `in_${anyone()}`],
    ['nothing', () => `nobody_${anyone()}`],
  ] as const)
    await measure(`search, ${name}`, { count: 50, run: () => find(query()) });
  await measure('list of events', { count: 50, run: () => listEvents(database, { limit: 50 }) });
  await measure('list of the quarantine', { count: 20, run: () => listQuarantine(database, { limit: 50 }) });
  await measure('list of the audit log', { count: 50, run: () => listAudit(database, { limit: 50 }) });
  for (const size of [1, 64])
    await measure(`${size} event(s), read and written`, {
      run: () => applyEvents(database, { users, size }),
    });
  await measure('metrics, counted directly', { count: 1, run: metrics });
  const [, sumMs] = await timed(sumAll);
  say(`| all subscriptions summed | ${(sumMs / 1000).toFixed(0)} s | |`);
  await client.query('ANALYZE');
  await measure('metrics', { count: 30, run: metrics });
  await client.query(
    `UPDATE public.subscriptions SET status = CASE status WHEN 'active' THEN 'trialing' ELSE 'active' END
     WHERE id IN (SELECT 'sub_' || (random() * $1)::bigint FROM generate_series(1, 1000))`,
    [users - 1],
  );
  await measure('metrics, 1,000 changes not summed yet', { count: 30, run: metrics });
  await measure('1,000 changes summed', { count: 1, run: sumAll });
}

const { rows: there } = await client.query<{ users: string }>(
  'SELECT coalesce(max(id), 0) AS users FROM public.users',
);
let from = Number(there[0]?.users);
for (const to of values.users.split(',').map(Number)) {
  if (to > from) {
    const [, fillMs] = await timed(() => fillUsers(client, { from, to }));
    say(`filled to ${to} in ${(fillMs / 1000).toFixed(0)} s`);
  }
  await measureAll(to);
  from = to;
}
const { rows: sizes } = await client.query<{ size: string }>(
  'SELECT pg_size_pretty(pg_database_size(current_database())) AS size',
);
say(`the database: ${sizes[0]?.size}`);
await database.$disconnect();
await client.end();
await postgres.stop();
