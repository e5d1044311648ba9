import { isDeepStrictEqual } from 'node:util';
import { connectRedis } from '@billing/platform';
import { createTestDatabase, startTestPooler, startTestRedis, waitFor } from '@billing/testing';
import { Client } from 'pg';
import { startTestApi, testAdmin } from '../testing/start-test-api.test-support.ts';
import type { TestApi } from '../testing/start-test-api.test-support.ts';

let api: TestApi;
beforeAll(async () => {
  api = await startTestApi();
});
afterAll(() => api.close());

const ready = async (of = api): Promise<unknown[]> => {
  const { status, body } = await of.http().get('/ready');
  return [status, body.status, body.checks];
};
const sound = [200, 'ready', { database: 'ok', redis: 'ok' }];
const limit = { timeoutMs: 15_000, what: '/ready' };

/** What `/ready` says once it says `expected`, or after the limit. */
async function readyBy(expected: unknown[], of = api): Promise<unknown[]> {
  let last: unknown[] = [];
  await waitFor(async () => {
    last = await ready(of);
    return isDeepStrictEqual(last, expected);
  }, limit).catch(() => undefined);
  return last;
}

async function sql(text: string, values: unknown[] = []): Promise<void> {
  const client = new Client({ connectionString: api.database.ownerUrl });
  await client.connect();
  // The database may be set to read only.
  await client.query('SET default_transaction_read_only = off');
  try {
    await client.query(text, values);
  } finally {
    await client.end();
  }
}

const database = (says: string) => ({ database: says, redis: 'ok' });
const redis = (says: string) => ({ database: 'ok', redis: says });
const last = '20261123000005_payments';

describe('the migrations', () => {
  const add = (name: string) =>
    sql(
      `INSERT INTO public._prisma_migrations (id, checksum, migration_name, finished_at, applied_steps_count)
       VALUES (left(md5($1), 36), 'x', $1, now(), 1)`,
      [name],
    );
  const remove = (name: string) =>
    sql('DELETE FROM public._prisma_migrations WHERE migration_name = $1', [name]);

  it('keep a process out while one that it needs is missing, whatever is in its place', async () => {
    expect(await readyBy(sound)).toEqual(sound);
    await remove(last);
    const missing = `migration ${last} is missing: run npm run db:migrate`;
    expect(await ready()).toEqual([503, 'not ready', database(missing)]);
    await add(last);
    await sql('UPDATE public._prisma_migrations SET finished_at = NULL WHERE migration_name = $1', [last]);
    expect(await ready()).toEqual([503, 'not ready', database(missing)]);
    await remove(last);
    await add(last);
    expect(await ready()).toEqual(sound);
  });

  it('of a newer version that only add something keep no older process out', async () => {
    await add('99990101000000_something_new');
    expect(await ready()).toEqual(sound);
  });

  it('that are marked incompatible keep older processes out', async () => {
    const name = '99990102000000_something_gone_incompatible';
    await add(name);
    const says = `migration ${name} is incompatible with this version: run the version that it came with`;
    expect(await ready()).toEqual([503, 'not ready', database(says)]);
    await remove(name);
    expect(await ready()).toEqual(sound);
  });
});

describe('an outage after the process has begun', () => {
  it('of Postgres: degraded as long as the cache can answer', async () => {
    expect(await readyBy(sound)).toEqual(sound);
    await api.databaseProxy.setMode('refuse');
    expect(await readyBy([200, 'degraded', database('unreachable')])).toEqual([
      200,
      'degraded',
      database('unreachable'),
    ]);
    await api.redis.stop();
    expect(await readyBy([503, 'not ready', { database: 'unreachable', redis: 'unreachable' }])).toEqual([
      503,
      'not ready',
      { database: 'unreachable', redis: 'unreachable' },
    ]);
    await api.redis.start();
    expect(await readyBy([200, 'degraded', database('unreachable')])).toEqual([
      200,
      'degraded',
      database('unreachable'),
    ]);
    await api.databaseProxy.setMode('pass');
    expect(await readyBy(sound)).toEqual(sound);
  });

  it('of Postgres that hangs', async () => {
    await api.databaseProxy.setMode('freeze');
    expect(await readyBy([200, 'degraded', database('unreachable')])).toEqual([
      200,
      'degraded',
      database('unreachable'),
    ]);
    await api.databaseProxy.setMode('pass');
    expect(await readyBy(sound)).toEqual(sound);
  });

  it('of the queue: degraded', async () => {
    await api.redis.stop();
    expect(await readyBy([200, 'degraded', redis('unreachable')])).toEqual([
      200,
      'degraded',
      redis('unreachable'),
    ]);
    await api.redis.start();
    expect(await readyBy(sound)).toEqual(sound);
  });
});

describe('a dependency that refuses writes', () => {
  async function queueAdmin() {
    const redisClient = connectRedis({ url: api.redis.url, role: 'producer', logger: api.deps.logger });
    await waitFor(() => redisClient.status === 'ready', { what: 'Redis' });
    return redisClient;
  }

  it('is Postgres: degraded, and what writes answers 503', async () => {
    const { projectId } = await api.createProject();
    const restart = () =>
      sql(
        `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND backend_type = 'client backend'
      AND pid <> pg_backend_pid()`,
      );
    const name = new URL(api.database.url).pathname.slice(1);
    await sql(`ALTER DATABASE ${name} SET default_transaction_read_only TO on`);
    await restart();
    expect(await readyBy([200, 'degraded', database('refuses writes')])).toEqual([
      200,
      'degraded',
      database('refuses writes'),
    ]);
    const { status, body } = await api
      .http()
      .post('/api/v1/admin/grant')
      .set('authorization', `Bearer ${testAdmin.secret}`)
      .send({ user_id: 'u', project_id: projectId, feature_code: 'pro', reason: 'test' });
    expect([status, body.code]).toEqual([503, 'service_unavailable']);
    await sql(`ALTER DATABASE ${name} RESET default_transaction_read_only`);
    await restart();
    expect(await readyBy(sound)).toEqual(sound);
  });

  it('is the Redis of the queue, full: degraded', async () => {
    const queueRedis = await queueAdmin();
    await queueRedis.config('SET', 'maxmemory', '1');
    expect(await readyBy([200, 'degraded', redis('refuses writes (OOM)')])).toEqual([
      200,
      'degraded',
      redis('refuses writes (OOM)'),
    ]);
    await queueRedis.config('SET', 'maxmemory', '0');
    queueRedis.disconnect();
    expect(await readyBy(sound)).toEqual(sound);
  });

  it('is the Redis of the queue, a replica: degraded', async () => {
    const queueRedis = await queueAdmin();
    await queueRedis.replicaof('127.0.0.1', 9);
    expect(await readyBy([200, 'degraded', redis('is a replica: jobs need the primary')])).toEqual([
      200,
      'degraded',
      redis('is a replica: jobs need the primary'),
    ]);
    await queueRedis.replicaof('NO', 'ONE');
    queueRedis.disconnect();
    expect(await readyBy(sound)).toEqual(sound);
  });
});

describe('start-up parameters that a pooler refuses', () => {
  it.each([
    [
      ['TimeZone', 'DateStyle', 'statement_timeout'],
      'degraded',
      'start-up parameters refused by the pooler: TimeZone, DateStyle',
    ],
    [['DateStyle'], 'degraded', 'start-up parameters refused by the pooler: DateStyle'],
    [['statement_timeout', 'idle_in_transaction_session_timeout'], 'ready', 'ok'],
  ])('%p: %s', async (parameters, status, says) => {
    const place = await createTestDatabase();
    const pooler = await startTestPooler({
      port: Number(new URL(place.url).port),
      parameters,
      does: 'refuse',
    });
    const behind = await startTestApi({ database: { ...place, url: pooler.urlFor(place.url) } });
    expect(await readyBy([200, status, database(says)], behind)).toEqual([200, status, database(says)]);
    await behind.close();
    await behind.redis.stop();
    await pooler.close();
    await place.drop();
  });
});

describe('a process that has reached nothing yet', () => {
  it('is not ready while Postgres is away, although the cache is there', async () => {
    const other = await startTestApi({ databaseMode: 'refuse' });
    expect(await ready(other)).toEqual([503, 'not ready', database('unreachable')]);
    await other.databaseProxy.setMode('pass');
    expect(await readyBy(sound, other)).toEqual(sound);
    await other.close();
  });

  it('is not ready while the queue is away, although Postgres is there', async () => {
    const cache = await startTestRedis();
    const queue = await startTestRedis({ isStarted: false });
    const other = await startTestApi({
      redis: queue,
      env: { CACHE_REDIS_URL: cache.url },
      awaitRedis: false,
    });
    const away = [503, 'not ready', redis('unreachable')];
    expect(await readyBy(away, other)).toEqual(away);
    await queue.start();
    expect(await readyBy(sound, other)).toEqual(sound);
    await other.close();
    await Promise.all([queue.stop(), cache.stop()]);
  });
});
