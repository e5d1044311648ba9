import { EventEmitter, once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { createTestDatabase, waitFor } from '@billing/testing';
import type { TestDatabase } from '@billing/testing';
import { Client } from 'pg';
import { createDatabase } from './create-database.ts';
import type { Database } from './create-database.ts';
import { Prisma } from './generated/client.ts';
import { retryOnConflict } from './retry-on-conflict.ts';

let testDatabase: TestDatabase;
let database: Database;

beforeAll(async () => {
  testDatabase = await createTestDatabase();
  database = createDatabase({
    url: testDatabase.url,
    poolSize: 4,
    connectTimeoutMs: 5_000,
    statementTimeoutMs: 10_000,
  });
  await database.project.createMany({ data: ['a', 'b'].map((id) => ({ id, name: id })) });
});
afterAll(async () => {
  await database.$disconnect();
  await testDatabase.drop();
});

/** Two transactions that each hold what the other wants next; `enter` is called when one holds its first row. */
function lockBoth(first: string, second: string, enter: () => Promise<void>): Promise<string> {
  return database.$transaction(async (tx) => {
    await tx.$queryRaw`SELECT 1 FROM projects WHERE id = ${first} FOR UPDATE`;
    await enter();
    await tx.project.update({ where: { id: second }, data: { name: `after ${first}` } });
    return first;
  });
}

function meetingOfTwo(): () => Promise<void> {
  const gate = new EventEmitter();
  const opened = once(gate, 'open');
  let arrived = 0;
  return async () => {
    arrived += 1;
    if (arrived === 2) gate.emit('open');
    await opened;
  };
}

test('transactions that Postgres ends because of a deadlock try again and succeed', async () => {
  const meet = meetingOfTwo();
  const results = await Promise.all([lockBoth('a', 'b', meet), lockBoth('b', 'a', meet)]);
  expect(results).toEqual(['a', 'b']);
});

/** Changes a row while `write` waits for it: under `repeatable read` the write then fails with 40001. */
async function inTheWayOf<T>(write: () => Promise<T>): Promise<T> {
  const other = new Client({ connectionString: testDatabase.url });
  await other.connect();
  try {
    await other.query('BEGIN');
    await other.query("UPDATE projects SET description = 'other' WHERE id = 'a'");
    // Prisma's own promises begin when they are awaited.
    const written = Promise.resolve().then(write);
    const isWaiting = async () => {
      const { rows } = await other.query(
        "SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()",
      );
      return rows.length > 0;
    };
    await waitFor(isWaiting, { what: 'the write to wait' });
    await other.query('COMMIT');
    return await written;
  } finally {
    await other.end();
  }
}

describe('a serialization failure', () => {
  const levelOf = async (): Promise<unknown> =>
    database.$queryRaw`SELECT current_setting('transaction_isolation') AS level`;

  test('is possible: the server makes single statements repeatable reads', async () => {
    expect(await levelOf()).toEqual([{ level: 'repeatable read' }]);
  });

  test.each<[string, () => Promise<unknown>]>([
    ['statement', () => database.$executeRaw`UPDATE public.projects SET name = 'new' WHERE id = 'a'`],
    [
      'statement that returns JSON',
      () =>
        database.$queryJson(
          Prisma.sql`WITH changed AS (UPDATE public.projects SET name = 'new' WHERE id = 'a' RETURNING name)
            SELECT json_agg(name) FROM changed`,
        ),
    ],
    [
      'statement that returns rows',
      () => database.$queryRaw`UPDATE public.projects SET name = 'new' WHERE id = 'a' RETURNING name`,
    ],
    ["statement of Prisma's", () => database.project.update({ where: { id: 'a' }, data: { name: 'new' } })],
    [
      "many rows of Prisma's",
      () => database.project.updateMany({ where: { id: 'a' }, data: { name: 'new' } }),
    ],
    [
      'transaction',
      () => database.$transaction((tx) => tx.project.update({ where: { id: 'a' }, data: { name: 'new' } })),
    ],
  ])('does not reach the caller of a %s', async (_kind, write) => {
    await database.project.update({ where: { id: 'a' }, data: { name: 'old', description: null } });
    await inTheWayOf(write);
    expect(await database.project.findUnique({ where: { id: 'a' } })).toMatchObject({
      name: 'new',
      description: 'other',
    });
  });
});

describe('retrying', () => {
  const conflict = Object.assign(new Error('could not serialize access'), { code: '40001' });

  test('ends after five more tries', async () => {
    let calls = 0;
    const work = retryOnConflict(() => {
      calls += 1;
      return Promise.reject(conflict);
    });
    await expect(work).rejects.toBe(conflict);
    expect(calls).toBe(6);
  });

  test("ends at the call's deadline", async () => {
    let calls = 0;
    const work = retryOnConflict(
      async () => {
        calls += 1;
        await sleep(30);
        throw conflict;
      },
      { withinMs: 20 },
    );
    await expect(work).rejects.toBe(conflict);
    expect(calls).toBe(1);
  });
});

test('another error is not tried again', async () => {
  let calls = 0;
  const work = retryOnConflict(() => {
    calls += 1;
    return Promise.reject(new Error('something else'));
  });
  await expect(work).rejects.toThrow('something else');
  expect(calls).toBe(1);
});
