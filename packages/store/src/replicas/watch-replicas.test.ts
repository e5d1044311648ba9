import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ServiceError, systemClock } from '@billing/domain';
import { createLogger, createMetrics } from '@billing/platform';
import { oddSettings, startPostgres, waitFor } from '@billing/testing';
import type { PostgresServer } from '@billing/testing';
import { createDatabase } from '../create-database.ts';
import type { Database } from '../create-database.ts';
import { Prisma } from '../generated/client.ts';
import { watchReplicas } from './watch-replicas.ts';
import type { Replicas } from './watch-replicas.ts';

const connections = { poolSize: 2, connectTimeoutMs: 2_000, statementTimeoutMs: 2_000 };
const logger = createLogger({ service: 'test', level: 'error', format: 'json' });
const settings = { ...oddSettings, hot_standby: 'on', wal_keep_size: '64MB' };

/** As a role that may see nothing of the server but what everybody may. */
const byService = ({ url }: PostgresServer): string => url.replace('//postgres', '//service');

let dir: string;
let first: PostgresServer;
let second: PostgresServer;
let primary: Database;
let replicas: Replicas;

beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'billing-replicas-'));
  const dirs = { first: join(dir, 'first'), second: join(dir, 'second') };
  await (await startPostgres({ dir: dirs.first })).stop();
  cpSync(dirs.first, dirs.second, { recursive: true });
  rmSync(join(dirs.second, 'data', 'postmaster.pid'), { force: true });
  writeFileSync(join(dirs.second, 'data', 'standby.signal'), '');
  first = await startPostgres({ dir: dirs.first, settings });
  const primary_conninfo = `host=127.0.0.1 port=${first.port} user=postgres`;
  second = await startPostgres({ dir: dirs.second, settings: { ...settings, primary_conninfo } });
  const owner = createDatabase({ ...connections, url: first.url });
  await owner.$executeRaw`CREATE ROLE service LOGIN`;
  await owner.$executeRaw`GRANT ALL ON SCHEMA public TO service`;
  await owner.$disconnect();
  primary = createDatabase({ ...connections, url: byService(first) });
  replicas = watchReplicas({
    primary,
    urls: [byService(second)],
    maxLagMs: 1_000,
    connections,
    clock: systemClock,
    logger,
    metrics: createMetrics({ service: 'test', withProcessMetrics: false }),
  });
  // What Prisma loads at first cannot be loaded between tests.
  await byReplica();
});
afterAll(async () => {
  await replicas.close();
  await primary.$disconnect();
  await Promise.all([first.stop(), second.stop()]);
  rmSync(dir, { recursive: true });
});

const isReplica = (database: Database) =>
  database.$queryJson<boolean>(Prisma.sql`SELECT to_json(pg_is_in_recovery())`);
const byReplica = () =>
  waitFor(async () => (await replicas.read(isReplica)).result, {
    timeoutMs: 10_000,
    what: 'the replica to be used',
  });

test("a replica serves, and a read that fails there is the primary's; an answer that refuses is an answer", async () => {
  await byReplica();
  const { asOf } = await replicas.read(isReplica);
  expect(Math.abs(Date.now() - (asOf ?? 0))).toBeLessThan(3_000);
  const write = async (database: Database) => {
    await database.$executeRaw`CREATE TABLE IF NOT EXISTS public.written (n int)`;
    return isReplica(database);
  };
  expect(await replicas.read(write)).toEqual({ result: false, asOf: null });
  const refuse = () => Promise.reject(new ServiceError('invalid_request', 'no'));
  await expect(replicas.read(refuse)).rejects.toThrow('no');
});

test('a replica that was promoted is none any more', async () => {
  await byReplica();
  const promoted = createDatabase({ ...connections, url: second.url, mayBeReplica: true });
  await promoted.$queryRaw`SELECT pg_promote()`;
  await waitFor(async () => (await replicas.read(isReplica)).asOf === null, {
    timeoutMs: 10_000,
    what: 'the primary to serve',
  });
  expect(await isReplica(promoted)).toBe(false);
  await promoted.$disconnect();
});
