import { cpSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { createTestProxy, oddSettings, startPostgres, waitFor } from '@billing/testing';
import type { PostgresServer, TestProxy } from '@billing/testing';
import { Client } from 'pg';
import { adminSecret, featuresOf } from '../faults/support/api-client.ts';
import { takePort } from '../faults/support/service-process.ts';
import { openShop, uniqueId } from '../faults/support/shop.ts';
import type { Shop } from '../faults/support/shop.ts';
import { startStack } from '../faults/support/stack.ts';
import type { Stack } from '../faults/support/stack.ts';

const maxLagSeconds = 2;
/** A replica that is near enough again is used within so long. */
const usedAgainMs = 5_000;

let stack: Stack;
let primary: PostgresServer;
let replica: PostgresServer;
/** Between our processes and the replica. */
let way: TestProxy;
let shop: Shop;

const settings = { ...oddSettings, hot_standby: 'on', wal_keep_size: '64MB' };

async function tell(sql: string): Promise<void> {
  const client = new Client({ connectionString: replica.url });
  await client.connect();
  await client.query(sql);
  await client.end();
}

beforeAll(async () => {
  const wayPort = await takePort();
  stack = await startStack({
    isStarted: false,
    env: {
      DATABASE_REPLICA_URLS: `postgresql://postgres@127.0.0.1:${wayPort}/billing`,
      REPLICA_MAX_LAG_SECONDS: String(maxLagSeconds),
      ENTITLEMENT_CACHE_TTL_SECONDS: '1',
    },
  });
  // A cold copy.
  await stack.database.stop('fast');
  const dirs = { primary: join(stack.dir, 'postgres'), replica: join(stack.dir, 'replica') };
  cpSync(dirs.primary, dirs.replica, { recursive: true });
  rmSync(join(dirs.replica, 'data', 'postmaster.pid'), { force: true });
  writeFileSync(join(dirs.replica, 'data', 'standby.signal'), '');
  primary = await startPostgres({ dir: dirs.primary, port: stack.database.port, settings });
  replica = await startPostgres({
    dir: dirs.replica,
    port: await takePort(),
    settings: {
      ...settings,
      primary_conninfo: `host=127.0.0.1 port=${primary.port} user=postgres`,
      log_statement: 'all',
    },
  });
  way = await createTestProxy({ port: replica.port, listenOn: wayPort });
  await stack.startProcesses();
  shop = await openShop(stack);
});
afterAll(async () => {
  await stack.close();
  await way.close();
  await Promise.all([replica.stop(), primary.stop()]);
});

type Listed = { status: number; asOf: string | null; text: string };

async function get(path: string, headers: Record<string, string> = {}): Promise<Listed> {
  const response = await fetch(`${stack.clients[0].url}/api/v1${path}`, {
    headers: { authorization: `Bearer ${adminSecret}`, ...headers },
  });
  return {
    status: response.status,
    asOf: response.headers.get('x-data-as-of'),
    text: await response.text(),
  };
}

const listProjects = (headers?: Record<string, string>) => get('/admin/projects?limit=100', headers);
const byReplica = (what: string) =>
  waitFor(async () => (await listProjects()).asOf !== null, { timeoutMs: usedAgainMs, what });
const createProject = async (): Promise<string> => {
  const id = uniqueId('project').toLowerCase();
  await stack.clients[0].admin('POST', '/projects', { project_id: id, name: id });
  return id;
};
const gauge = async (name: string): Promise<number> => {
  const text = await stack.clients[0].metrics();
  return Number(new RegExp(`^${name}\\{(?:replica|server="replica")[^}]*\\} (\\S+)$`, 'm').exec(text)?.[1]);
};

it('a replica that lags little serves lists, searches, exports and metrics, and says as of when', async () => {
  await byReplica('the replica to be used');
  for (const path of [
    '/admin/projects',
    '/admin/events',
    '/admin/quarantine',
    '/admin/audit',
    '/admin/audit/export',
    '/admin/runs',
    '/admin/users?query=cus_1',
    '/admin/duplicates',
    '/admin/usage/meter-reports',
    '/admin/usage/refusals',
    `/admin/projects/${shop.projectId}/features`,
    `/admin/projects/${shop.projectId}/products`,
    `/admin/projects/${shop.projectId}/prices`,
    `/admin/projects/${shop.projectId}/api-keys`,
  ]) {
    const { status, asOf } = await get(path);
    expect({ path, status, isDated: asOf !== null }).toEqual({ path, status: 200, isDated: true });
    expect(Math.abs(Date.now() - Date.parse(asOf ?? ''))).toBeLessThan(maxLagSeconds * 1000 + 3_000);
  }
  const metrics = await get(`/metrics/project/${shop.projectId}`, {
    authorization: `Bearer ${shop.apiKey}`,
  });
  expect(metrics).toMatchObject({ status: 200, asOf: expect.any(String) });
  expect(await gauge('database_replica_used')).toBe(1);
  expect(await gauge('database_replica_lag_seconds')).toBeLessThan(maxLagSeconds);
});

it('one object by its id, and whoever asks for the newest, are served by the primary', async () => {
  await byReplica('the replica to be used');
  expect(await get(`/admin/projects/${shop.projectId}`)).toMatchObject({ status: 200, asOf: null });
  const id = await createProject();
  const newest = await listProjects({ 'cache-control': 'no-cache' });
  expect(newest).toMatchObject({ status: 200, asOf: null, text: expect.stringContaining(id) });
});

it('a replica that lags is left within a second more than is allowed, and used again within 5 s', async () => {
  await byReplica('the replica to be used');
  await tell('SELECT pg_wal_replay_pause()');
  const id = await createProject();
  const changedAt = performance.now();
  await waitFor(async () => (await listProjects()).asOf === null, {
    timeoutMs: (maxLagSeconds + 3) * 1000,
    what: 'the primary to serve',
  });
  expect(performance.now() - changedAt).toBeGreaterThan(500);
  expect((await listProjects()).text).toContain(id);
  expect(await gauge('database_replica_used')).toBe(0);
  // What a user may do is as new as ever.
  const userId = uniqueId('user');
  await shop.grant(userId, 'feature_of_now');
  expect(featuresOf(await stack.clients[0].check(shop.apiKey, userId))).toEqual(['feature_of_now']);
  expect(await gauge('database_replica_lag_seconds')).toBeGreaterThan(maxLagSeconds);
  await tell('SELECT pg_wal_replay_resume()');
  await byReplica('the replica to be used again');
  expect((await listProjects()).text).toContain(id);
});

it('an idle primary has no lag', async () => {
  await byReplica('the replica to be used');
  // Longer than is allowed, and nobody changes anything.
  for (let second = 0; second < maxLagSeconds + 3; second += 1) {
    await sleep(1_000);
    expect((await listProjects()).asOf).not.toBeNull();
  }
});

it('a replica that is away, or does not answer, is no trouble of readiness, and lists come from the primary', async () => {
  for (const fault of ['refuse', 'freeze'] as const) {
    await byReplica('the replica to be used');
    if (fault === 'refuse') await way.setMode('refuse');
    else await way.setMode('freeze');
    await waitFor(async () => (await listProjects()).asOf === null, {
      timeoutMs: 10_000,
      what: `the primary to serve beside a replica that is set to ${fault}`,
    });
    for (let time = 0; time < 5; time += 1)
      expect(await listProjects()).toMatchObject({ status: 200, asOf: null });
    await waitFor(async () => (await gauge('database_replica_used')) === 0, {
      timeoutMs: 5_000,
      what: 'the metric to say that the replica is not used',
    });
    expect(await stack.apis[0].readiness()).toMatchObject({ status: 200 });
    expect(await stack.workers[0].readiness()).toMatchObject({ status: 200 });
    await way.setMode('pass');
  }
});

it('reconcile compares with the replica', async () => {
  const ofWorkers = async (name: string): Promise<number[]> => {
    const texts = await Promise.all(
      stack.workers.map(async ({ port }) => (await fetch(`http://127.0.0.1:${port}/metrics`)).text()),
    );
    return texts.map((text) =>
      Number(new RegExp(`^${name}\\{(?:replica|server="replica")[^}]*\\} (\\S+)$`, 'm').exec(text)?.[1] ?? 0),
    );
  };
  const readsOfWorkers = async (): Promise<number> =>
    (await ofWorkers('database_replica_reads_total')).reduce((sum, count) => sum + count, 0);
  // Each process measures for itself.
  await waitFor(async () => (await ofWorkers('database_replica_used')).every((used) => used === 1), {
    timeoutMs: 15_000,
    what: 'the workers to use the replica',
  });
  const before = await readsOfWorkers();
  await stack.clients[0].admin('POST', '/reconcile', { dry_run: true });
  await waitFor(async () => (await readsOfWorkers()) > before, {
    timeoutMs: 20_000,
    what: 'reconcile to read the replica',
  });
});

it('what a user may do was never read from the replica, and nothing was written there', async () => {
  await byReplica('the replica to be used');
  const userId = uniqueId('user');
  await shop.grant(userId, 'a');
  for (let time = 0; time < 20; time += 1) {
    expect((await stack.clients[0].check(shop.apiKey, userId)).status).toBe(200);
    await sleep(100);
  }
  const log = readFileSync(replica.logFile, 'utf8');
  expect(log).toMatch(/execute.*FROM "?public"?\."?projects/);
  expect(log).not.toMatch(/public"?\."?grants/);
  expect(log).not.toContain('read-only transaction');
});
