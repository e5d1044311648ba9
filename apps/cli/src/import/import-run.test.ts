import { createTestDatabase } from '@billing/testing';
import type { TestDatabase } from '@billing/testing';
import { createDatabase, endLostImports, findIdleRuns } from '@billing/store';
import type { Database } from '@billing/store';
import { freshState } from '@billing/sync';
import { recordImportRun } from './import-run.ts';

let testDatabase: TestDatabase;
let database: Database;
beforeAll(async () => {
  testDatabase = await createTestDatabase();
  database = createDatabase({
    url: testDatabase.url,
    poolSize: 2,
    connectTimeoutMs: 2_000,
    statementTimeoutMs: 5_000,
  });
});
afterAll(async () => {
  await database.$disconnect();
  await testDatabase.drop();
});

const state = freshState({ project: 'shop', account: 'a', mapping: 'm', customers: 'c' });
const run = (work: () => Promise<void>): Promise<void> =>
  recordImportRun({ database, projectId: 'shop', state }, work);

test('an import that fails is a failed run with the reason', async () => {
  const failing = run(() => Promise.reject(new Error('Stripe refused the key')));
  await expect(failing).rejects.toThrow('Stripe refused the key');
  const row = await database.run.findFirstOrThrow({ orderBy: { createdAt: 'desc' } });
  expect(row).toMatchObject({ kind: 'import', status: 'failed', error: 'Stripe refused the key' });
});

test('no worker takes an import; one whose command line is gone fails', async () => {
  await run(async () => {
    const where = { kind: 'import', status: 'running' };
    expect(await findIdleRuns(database)).toEqual([]);
    await endLostImports(database);
    expect(await database.run.count({ where })).toBe(1);
    await database.run.updateMany({ where, data: { lockedUntil: new Date(Date.now() - 1_000) } });
    expect(await findIdleRuns(database)).toEqual([]);
    await endLostImports(database);
    expect(await database.run.count({ where })).toBe(0);
  });
  const row = await database.run.findFirstOrThrow({ orderBy: { createdAt: 'desc' } });
  expect(row).toMatchObject({
    status: 'failed',
    error: 'the command line ended: run the same command again',
  });
});
