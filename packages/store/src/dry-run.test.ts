import { createTestDatabase } from '@billing/testing';
import type { TestDatabase } from '@billing/testing';
import { createDatabase } from './create-database.ts';
import type { Database } from './create-database.ts';
import { noteChanges, noteUsers, tryChange } from './dry-run.ts';

let testDatabase: TestDatabase;
let database: Database;

beforeAll(async () => {
  testDatabase = await createTestDatabase();
  database = createDatabase({
    url: testDatabase.url,
    poolSize: 2,
    connectTimeoutMs: 5_000,
    statementTimeoutMs: 10_000,
  });
});
afterAll(async () => {
  await database.$disconnect();
  await testDatabase.drop();
});

const change = { path: 'name', before: 'a', after: 'b' };

test('what a run of a transaction did that Postgres ended is not told twice', async () => {
  let runs = 0;
  const tried = await tryChange(database, (trying) =>
    trying.$transaction(async (tx) => {
      runs += 1;
      noteChanges(tx, [change]);
      noteUsers(tx, [{ projectId: 'shop', userId: `user of run ${runs}` }]);
      if (runs === 1)
        await tx.$executeRaw`DO $$ BEGIN RAISE 'in favour of another one' USING ERRCODE = 'deadlock_detected'; END $$`;
    }),
  );
  expect(runs).toBe(2);
  expect(tried).toEqual({ changes: [change], affectedUsers: 1 });
});

test('what all transactions of a change did is told, and nothing of it is kept', async () => {
  const create = (trying: Database, id: string) =>
    trying.$transaction(async (tx) => {
      await tx.project.create({ data: { id, name: id } });
      noteChanges(tx, [{ ...change, path: id }]);
    });
  const tried = await tryChange(database, async (trying) => {
    await create(trying, 'one');
    await create(trying, 'two');
  });
  expect(tried.changes.map(({ path }) => path)).toEqual(['one', 'two']);
  expect(await database.project.count()).toBe(0);
});
