import { dayMs } from '@billing/domain';
import { createTestDatabase } from '@billing/testing';
import type { TestDatabase } from '@billing/testing';
import { createDatabase } from './create-database.ts';
import type { Database } from './create-database.ts';
import {
  claimSweep,
  clearUnseenEvents,
  finishSweep,
  noteUnseenEvents,
  readUnseenEvents,
} from './event-sweeps.ts';

let testDatabase: TestDatabase;
let database: Database;

beforeAll(async () => {
  testDatabase = await createTestDatabase();
  database = createDatabase({
    url: testDatabase.url,
    poolSize: 2,
    connectTimeoutMs: 5_000,
    statementTimeoutMs: 5_000,
  });
});
afterAll(async () => {
  await database.$disconnect();
  await testDatabase.drop();
});

const mode = 'test';
const key = { mode, workerId: 'worker' };
const now = Date.UTC(2026, 10, 28);
const unseen = { mode, from: now - 45 * dayMs, to: now - 30 * dayMs };

it('a sweep that read its row before a reconcile ended does not report again what that covers', async () => {
  await claimSweep(database, key);
  await finishSweep(database, { ...key, sweptTo: unseen.from });
  expect(await noteUnseenEvents(database, unseen)).toEqual({ isNew: true });
  await clearUnseenEvents(database, { mode, since: unseen.from - dayMs, at: now });
  expect(await noteUnseenEvents(database, unseen)).toEqual({ isNew: false });
  expect(await readUnseenEvents(database, mode)).toBeNull();
  // Away again, after that reconcile.
  const later = { mode, from: now, to: now + dayMs };
  expect(await noteUnseenEvents(database, later)).toEqual({ isNew: true });
  expect(await readUnseenEvents(database, mode)).toEqual({ from: later.from, to: later.to });
});
