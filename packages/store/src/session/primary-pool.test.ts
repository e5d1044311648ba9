import { createTestDatabase, waitFor } from '@billing/testing';
import type { TestDatabase } from '@billing/testing';
import { createDatabase } from '../create-database.ts';
import type { Database, DatabaseOptions } from '../create-database.ts';
import { isDatabaseUnavailable } from '../database-errors.ts';
import { readSources } from '../read-sources.ts';

let place: TestDatabase;
beforeAll(async () => {
  place = await createTestDatabase();
});
afterAll(() => place.drop());

const open = (options: Partial<DatabaseOptions> = {}): Database =>
  createDatabase({
    url: place.url,
    poolSize: 1,
    connectTimeoutMs: 5_000,
    statementTimeoutMs: 5_000,
    ...options,
  });

async function pidOf(database: Database): Promise<number> {
  const [row] = await database.$queryRaw<{ pid: number }[]>`SELECT pg_backend_pid() AS pid`;
  return row?.pid ?? 0;
}

const preparedCount = async (database: Database): Promise<number> =>
  (
    await database.$queryRaw<unknown[]>`
      SELECT 1 FROM pg_prepared_statements WHERE name LIKE 'billing%' AND statement LIKE '%subscription_items%'`
  ).length;

it('connections are replaced at their age, by ones that are prepared', async () => {
  const database = open({ connectionSeconds: { min: 1, max: 1 } });
  const first = await pidOf(database);
  for (let count = 0; count < 3; count += 1) await readSources(database, 'nobody', ['user']);
  await waitFor(async () => (await pidOf(database)) !== first, { what: 'another connection' });
  expect(await preparedCount(database)).toBe(1);
  await database.$disconnect();
});

it('a replacement takes one connection more for a moment, and none for good', async () => {
  const database = open({ connectionSeconds: { min: 1, max: 1 } });
  const pids = new Set<number>();
  await waitFor(
    async () => {
      pids.add(await pidOf(database));
      return pids.size >= 3;
    },
    { what: 'three connections', timeoutMs: 15_000, intervalMs: 5 },
  );
  const [left] = await database.$queryRaw<{ count: number }[]>`
    SELECT count(*)::int AS count FROM pg_stat_activity WHERE datname = current_database()`;
  expect(left?.count).toBeLessThanOrEqual(2);
  await database.$disconnect();
});

it('a connection that can have no successor stays', async () => {
  const database = open({ connectionSeconds: { min: 1, max: 1 } });
  const first = await pidOf(database);
  const name = new URL(place.url).pathname.slice(1);
  await place.asOwner(`ALTER DATABASE ${name} CONNECTION LIMIT 1`);
  const twiceItsAge = Date.now() + 2_000;
  await waitFor(
    async () => {
      expect(await pidOf(database)).toBe(first);
      return Date.now() > twiceItsAge;
    },
    { what: 'twice the age of the connection', timeoutMs: 4_000 },
  );
  await place.asOwner(`ALTER DATABASE ${name} CONNECTION LIMIT -1`);
  await waitFor(async () => (await pidOf(database)) !== first, { what: 'another connection' });
  await database.$disconnect();
});

it('a refused write ends the connections, and a primary that is read only by a setting still answers', async () => {
  const database = open({ poolSize: 2 });
  await database.project.create({ data: { id: 'p', name: 'p' } });
  const first = await pidOf(database);
  const name = new URL(place.url).pathname.slice(1);
  await place.asOwner(`ALTER DATABASE ${name} SET default_transaction_read_only TO on`);
  await place.asOwner(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid = ${first}`);
  const second = await waitFor(() => pidOf(database), { what: 'a connection' });
  const failure = await database.project
    .create({ data: { id: 'q', name: 'q' } })
    .catch((error: unknown) => error);
  expect(isDatabaseUnavailable(failure)).toBe(true);
  await waitFor(async () => (await pidOf(database)) !== second, { what: 'another connection' });
  expect((await readSources(database, 'p', ['u'])).get('u')?.projectVersion).toBe(1);
  await place.asOwner(`BEGIN READ WRITE; ALTER DATABASE ${name} RESET default_transaction_read_only; COMMIT`);
  // A refused write is what ends the connections of the time before.
  await waitFor(
    () =>
      database.project.create({ data: { id: 'q', name: 'q' } }).then(
        () => true,
        () => false,
      ),
    { what: 'a write' },
  );
  await database.$disconnect();
});

it('several hosts are tried in their order', async () => {
  const { port, username, pathname } = new URL(place.url);
  const database = open({ url: `postgresql://${username}@127.0.0.1:9,127.0.0.1:${port}${pathname}` });
  expect(await pidOf(database)).toBeGreaterThan(0);
  await database.$disconnect();
});

it('where no host answers, Postgres is unavailable', async () => {
  const database = open({ url: 'postgresql://nobody@127.0.0.1:9,127.0.0.1:10/none' });
  const failure = await pidOf(database).catch((error: unknown) => error);
  expect(isDatabaseUnavailable(failure)).toBe(true);
  await database.$disconnect();
});
