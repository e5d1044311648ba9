import { cpSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { migrate } from '@billing/platform';
import { createTestProxy, oddSettings, startPostgres, waitFor } from '@billing/testing';
import type { PostgresServer, TestProxy } from '@billing/testing';
import { Client } from 'pg';
import { adminSecret, bodyOf, createApiClient } from '../faults/support/api-client.ts';
import type { ApiClient } from '../faults/support/api-client.ts';
import { inQuick, noteRecovery } from '../faults/support/run-options.ts';
import { createServiceProcess, takePort } from '../faults/support/service-process.ts';
import type { ServiceProcess } from '../faults/support/service-process.ts';
import { openShop, uniqueId } from '../faults/support/shop.ts';
import type { Shop } from '../faults/support/shop.ts';
import { startStack } from '../faults/support/stack.ts';
import type { Stack } from '../faults/support/stack.ts';

/** How long writes may take to be right again after the name, or the promotion, is. */
const limitMs = 30_000;

let stack: Stack;
/** Stands in for a name that leads to the primary: what it answers changes late. */
let name: TestProxy;
let first: PostgresServer;
let second: PostgresServer;
/** Knows both servers by a URL with two hosts. */
let byHosts: ServiceProcess;
let shop: Shop;

const settings = { ...oddSettings, hot_standby: 'on', wal_keep_size: '64MB' };

/** What a server says of itself, past everything. */
async function ask(server: PostgresServer, expression: string): Promise<unknown> {
  const client = new Client({ connectionString: server.urlOf('billing') });
  await client.connect();
  const { rows } = await client.query<{ said: unknown }>(`SELECT ${expression} AS said`);
  await client.end();
  return rows[0]?.said;
}

/** Until the replica has all that is committed now. */
async function untilCaughtUp({ primary, replica }: Record<'primary' | 'replica', PostgresServer>) {
  const lsn = String(await ask(primary, 'pg_current_wal_lsn()::text'));
  const caughtUp = async () => (await ask(replica, `pg_last_wal_replay_lsn() >= '${lsn}'::pg_lsn`)) === true;
  await waitFor(caughtUp, { what: 'the replica', timeoutMs: 20_000 });
}

/** Starts the server in `dir` as a replica of the one at `ofPort`. */
async function startReplica(dir: string, { port, ofPort }: { port: number; ofPort: number }) {
  writeFileSync(join(dir, 'data', 'standby.signal'), '');
  const primary_conninfo = `host=127.0.0.1 port=${ofPort} user=postgres`;
  return startPostgres({ dir, port, settings: { ...settings, primary_conninfo } });
}

beforeAll(async () => {
  const namePort = await takePort();
  stack = await startStack({
    isStarted: false,
    env: { DATABASE_URL: `postgresql://postgres@127.0.0.1:${namePort}/billing`, LOG_LEVEL: 'warn' },
  });
  name = await createTestProxy({ port: stack.database.port, listenOn: namePort });
  // A cold copy.
  await stack.database.stop('fast');
  const dirs = { first: join(stack.dir, 'postgres'), second: join(stack.dir, 'second') };
  cpSync(dirs.first, dirs.second, { recursive: true });
  rmSync(join(dirs.second, 'data', 'postmaster.pid'), { force: true });
  first = await startPostgres({ dir: dirs.first, port: stack.database.port, settings });
  second = await startReplica(dirs.second, { port: await takePort(), ofPort: first.port });
  const port = await takePort();
  byHosts = createServiceProcess({
    name: 'api-by-hosts',
    script: 'apps/api/dist/main.js',
    port,
    dir: stack.dir,
    env: {
      ...stack.environmentOf('api'),
      NODE_ENV: 'test',
      ADMIN_API_KEY: `faults:${adminSecret}`,
      DATABASE_URL: `postgresql://postgres@127.0.0.1:${first.port},127.0.0.1:${second.port}/billing?target_session_attrs=read-write`,
      DATABASE_POOL_SIZE: '5',
      PORT: String(port),
    },
  });
  await stack.startProcesses();
  await byHosts.start();
  await byHosts.untilReady();
  shop = await openShop(stack);
});
afterAll(async () => {
  await byHosts.kill('SIGKILL');
  await Promise.all([first.stop(), second.stop()]);
  await stack.close();
  await name.close();
});

/** Grants a feature; returns the status of the answer. */
async function grant(client: ApiClient, userId: string, featureCode: string): Promise<number> {
  const response = await fetch(`${client.url}/api/v1/admin/grant`, {
    method: 'POST',
    headers: { authorization: `Bearer ${adminSecret}`, 'content-type': 'application/json' },
    body: JSON.stringify({
      user_id: userId,
      project_id: shop.projectId,
      feature_code: featureCode,
      reason: 'test',
    }),
  });
  await response.text();
  return response.status;
}

/** What an API says that the user may do, and the version of the answer; null: no answer. */
async function readAt(client: ApiClient, userId: string) {
  const answer = await client.check(shop.apiKey, userId);
  if (answer.status !== 200) return null;
  const { version, entitlements } = bodyOf(answer);
  return { version, features: entitlements.map((one) => one.feature_code) };
}

type Seen = { at: number; what: string; status: number };

/** Checks and grants at all APIs until it is stopped; returns every answer that was neither right nor 503, and all writes. */
function startLoad(clients: readonly ApiClient[], userId: string) {
  const state = { isOver: false };
  const wrong: string[] = [];
  const writes: (Seen & { url: string })[] = [];
  /** Versions of the user that were committed, and since when. */
  const committed: { version: number; at: number }[] = [];

  async function read(client: ApiClient): Promise<void> {
    const startedAt = performance.now();
    const answer = await client.check(shop.apiKey, userId);
    if (answer.status === 503) return;
    if (answer.status !== 200) return void wrong.push(`check at ${client.url}: ${answer.status}`);
    // What was committed a second before the question must be in the answer.
    const known = committed.filter(({ at }) => at < startedAt - 1_000).map(({ version }) => version);
    const { version } = bodyOf(answer);
    if (version < Math.max(0, ...known))
      wrong.push(`check at ${client.url}: version ${version} after ${Math.max(...known)}`);
  }
  async function write(client: ApiClient): Promise<void> {
    const status = await grant(client, userId, uniqueId('feature').toLowerCase());
    writes.push({ at: performance.now(), url: client.url, what: 'grant', status });
    if (status >= 300 && status !== 503) wrong.push(`grant at ${client.url}: ${status}`);
    if (status >= 300) return;
    const answer = await client.check(shop.apiKey, userId);
    if (answer.status === 200) committed.push({ version: bodyOf(answer).version, at: performance.now() });
  }
  async function repeat(work: () => Promise<void>, pauseMs: number): Promise<void> {
    while (!state.isOver) {
      await work().catch((error: unknown) => void wrong.push(String(error)));
      await sleep(pauseMs);
    }
  }
  const running = clients.flatMap((client) => [
    repeat(() => read(client), 20),
    repeat(() => write(client), 100),
  ]);
  return {
    wrong,
    writes,
    stop: async () => {
      state.isOver = true;
      await Promise.all(running);
    },
    /** Resolves when a write at this API was right that began later than now. */
    untilWrite: (client: ApiClient) => {
      const since = performance.now();
      return waitFor(
        () => writes.some((one) => one.url === client.url && one.at > since + 100 && one.status < 300),
        { what: `a write at ${client.url}`, timeoutMs: limitMs },
      );
    },
  };
}

async function timed(recovered: string, wait: Promise<unknown>): Promise<void> {
  const startedAt = performance.now();
  await wait;
  noteRecovery({ fault: 'Postgres failover', recovered, ms: Math.round(performance.now() - startedAt) });
}

it('a failover with a name that is late: 503 meanwhile, then right without a restart, and nothing stale', async () => {
  const clients = [...stack.clients, createApiClient(byHosts.url)];
  const processes = [...stack.apis, ...stack.workers, byHosts];
  const pids = processes.map((one) => one.pid());
  const userId = uniqueId('user');
  const load = startLoad(clients, userId);
  await Promise.all(clients.map((client) => load.untilWrite(client)));

  // Planned or not: the replica has all that was committed.
  await untilCaughtUp({ primary: first, replica: second });
  await first.stop();
  await ask(second, 'pg_promote()');
  // The old primary comes back as a replica, and is where the name still leads; it learns of nothing new.
  first = await startReplica(join(stack.dir, 'postgres'), { port: first.port, ofPort: second.port });
  await ask(first, 'pg_wal_replay_pause()::text').catch(() => undefined);
  await timed('API with several hosts writes', load.untilWrite(createApiClient(byHosts.url)));
  await sleep(inQuick(4_000, 15_000));
  for (const client of stack.clients)
    expect(load.writes.filter(({ url }) => url === client.url).at(-1)?.status).toBe(503);
  const { checks } = await stack.apis[0].readiness();
  expect(checks['database']).toBe('is in recovery: not the primary');

  name.leadTo(second.port);
  await timed('APIs by the name write', Promise.all(stack.clients.map((client) => load.untilWrite(client))));
  await Promise.all(
    processes.map((one) =>
      waitFor(async () => (await one.readiness()).status === 200, { what: one.name, timeoutMs: limitMs }),
    ),
  );
  await sleep(1_500);
  await load.stop();
  expect(load.wrong).toEqual([]);
  expect(processes.map((one) => one.pid())).toEqual(pids);
  const timeline = await ask(second, 'left(pg_walfile_name(pg_current_wal_lsn()), 8)');
  expect(timeline).toBe('00000002');
});

it('migrations go to the primary of several hosts', async () => {
  const databaseUrl = `postgresql://postgres@127.0.0.1:${first.port},127.0.0.1:${second.port}/billing`;
  await expect(migrate({ databaseUrl })).resolves.toEqual({ applied: [], serviceRole: null });
  const [only] = databaseUrl.split(',');
  await expect(migrate({ databaseUrl: `${only}/billing`, waitMs: 500 })).rejects.toThrow('in recovery');
});

it('a failover that loses the last commits shows none of them, though their version numbers come again', async () => {
  const clients = [...stack.clients, createApiClient(byHosts.url)];
  const userId = uniqueId('user');
  await ask(first, 'pg_wal_replay_resume()::text');
  await untilCaughtUp({ primary: second, replica: first });
  // From here on the replica gets nothing.
  await first.stop();
  expect(await grant(createApiClient(byHosts.url), userId, 'lost')).toBe(201);
  const before = { version: expect.any(Number), features: ['lost'] };
  for (const client of [...clients, ...clients]) expect(await readAt(client, userId)).toEqual(before);
  const seen = await readAt(createApiClient(byHosts.url), userId);

  await second.stop();
  first = await startReplica(join(stack.dir, 'postgres'), { port: first.port, ofPort: second.port });
  await ask(first, 'pg_promote()');
  name.leadTo(first.port);
  const isWritten = async () => (await grant(createApiClient(byHosts.url), userId, 'kept')) === 201;
  await timed('lost commits: an API writes', waitFor(isWritten, { what: 'a write', timeoutMs: limitMs }));
  await sleep(1_000);
  for (const client of [...clients, ...clients]) {
    await waitFor(async () => (await readAt(client, userId)) !== null, {
      what: 'a read',
      timeoutMs: limitMs,
    });
    expect(await readAt(client, userId)).toEqual({ version: seen?.version, features: ['kept'] });
  }
});
