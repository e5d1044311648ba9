import { EventEmitter, once } from 'node:events';
import { createTestDatabase } from '@billing/testing';
import type { TestDatabase } from '@billing/testing';
import { createDatabase } from './create-database.ts';
import type { Database } from './create-database.ts';
import { isDeadlock, retryOnDeadlock } from './retry-on-deadlock.ts';

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

test('a deadlock is known for what it is', async () => {
  const meet = meetingOfTwo();
  const results = await Promise.allSettled([lockBoth('a', 'b', meet), lockBoth('b', 'a', meet)]);
  const failures = results.filter((result) => result.status === 'rejected');
  expect(failures).toHaveLength(1);
  expect(isDeadlock(failures[0]?.reason)).toBe(true);
});

test('the one who was ended for it tries again and succeeds', async () => {
  const meet = meetingOfTwo();
  const results = await Promise.all([
    retryOnDeadlock(() => lockBoth('a', 'b', meet)),
    retryOnDeadlock(() => lockBoth('b', 'a', meet)),
  ]);
  expect(results).toEqual(['a', 'b']);
});

test('another error is not tried again', async () => {
  let calls = 0;
  const work = retryOnDeadlock(() => {
    calls += 1;
    return Promise.reject(new Error('something else'));
  });
  await expect(work).rejects.toThrow('something else');
  expect(calls).toBe(1);
});
