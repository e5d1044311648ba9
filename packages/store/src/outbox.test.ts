import { createLogger } from '@billing/platform';
import { createTestDatabase, waitFor } from '@billing/testing';
import type { TestDatabase } from '@billing/testing';
import { createDatabase } from './create-database.ts';
import type { Database } from './create-database.ts';
import { changeUser } from './change-user.ts';
import { createOutboxCleaner, publishInvalidations } from './outbox.ts';

const logger = createLogger({ service: 'test', level: 'error', format: 'json' });
const reachable = { invalidate: async () => [] };
const away = { invalidate: () => Promise.reject(new Error('the cache is away')) };

describe('published invalidations', () => {
  let testDatabase: TestDatabase;
  let database: Database;
  let statements = 0;

  beforeAll(async () => {
    testDatabase = await createTestDatabase();
    database = createDatabase({
      url: testDatabase.url,
      poolSize: 4,
      connectTimeoutMs: 5_000,
      statementTimeoutMs: 5_000,
      observe: () => (statements += 1),
    });
    await database.project.create({ data: { id: 'p', name: 'Project' } });
  });
  afterAll(async () => {
    await database.$disconnect();
    await testDatabase.drop();
  });

  const change = async (userId: string) => {
    const write = () => Promise.resolve({ result: null, changed: true });
    return (await changeUser(database, { projectId: 'p', userId }, write)).pending;
  };
  const left = (): Promise<number> => database.cacheInvalidation.count();

  test('are deleted together, a little later', async () => {
    const outboxCleaner = createOutboxCleaner({ database, logger });
    const pending = [...(await change('a')), ...(await change('b'))];
    expect(await publishInvalidations({ database, cache: reachable, logger, outboxCleaner }, pending)).toBe(
      'published',
    );
    await waitFor(async () => (await left()) === 0, { what: 'both rows to be gone' });
  });

  test('are deleted at once when the process ends', async () => {
    const outboxCleaner = createOutboxCleaner({ database, logger });
    await publishInvalidations({ database, cache: reachable, logger, outboxCleaner }, await change('a'));
    await outboxCleaner.flush();
    expect(await left()).toBe(0);
    await outboxCleaner.flush();
  });

  test('what the cache could not be told stays pending', async () => {
    const outboxCleaner = createOutboxCleaner({ database, logger });
    const pending = await change('a');
    expect(await publishInvalidations({ database, cache: away, logger, outboxCleaner }, pending)).toBe(
      'pending',
    );
    await outboxCleaner.flush();
    expect(await left()).toBe(1);
    await database.cacheInvalidation.deleteMany();
  });

  test('an invalidation without a row asks Postgres nothing', async () => {
    const before = statements;
    const outboxCleaner = createOutboxCleaner({ database, logger });
    outboxCleaner.deleteLater([{ id: 0n, projectId: 'p', userId: 'a', version: 1n }]);
    await outboxCleaner.flush();
    expect(statements).toBe(before);
  });
});
