import { createTestDatabase } from '@billing/testing';
import type { TestDatabase } from '@billing/testing';
import { Client } from 'pg';
import { readSale } from './checkout/read-sale.ts';
import { createDatabase } from './create-database.ts';
import type { Database } from './create-database.ts';
import { readSources } from './read-sources.ts';
import { findApiKey } from './keys/find-api-key.ts';
import { readAgainIfConnectionLost } from './read-again.ts';

let testDatabase: TestDatabase;
let database: Database;
let admin: Client;

beforeAll(async () => {
  testDatabase = await createTestDatabase();
  database = createDatabase({
    url: testDatabase.url,
    poolSize: 6,
    connectTimeoutMs: 5_000,
    statementTimeoutMs: 10_000,
  });
  await database.project.create({ data: { id: 'p', name: 'p' } });
  admin = new Client({ connectionString: testDatabase.url });
  await admin.connect();
});
afterAll(async () => {
  await admin.end();
  await database.$disconnect();
  await testDatabase.drop();
});

/** What a failover or an operator does to a pool. */
const endSessions = () =>
  admin.query(
    `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND backend_type = 'client backend'
      AND pid <> pg_backend_pid()`,
  );

const reads: [what: string, read: () => Promise<unknown>, answer: unknown][] = [
  ['entitlements', async () => (await readSources(database, 'p', ['u'])).get('u')?.projectVersion, 1],
  ['an API key', () => findApiKey(database, Buffer.alloc(32)), null],
  [
    'a sale',
    async () => (await readSale(database, { projectId: 'p', userId: 'u', prices: ['none'] }))?.prices[0],
    null,
  ],
];

it.each(reads)('sessions that Postgres ends cost no reader of %s its answer', async (_, read, answer) => {
  for (let round = 0; round < 10; round += 1) {
    // Some are ended while they work, some while they are idle.
    const [, ...answers] = await Promise.all([endSessions(), ...Array.from({ length: 12 }, read)]);
    expect(answers).toEqual(Array.from({ length: 12 }, () => answer));
    await endSessions();
    expect(await read()).toBe(answer);
  }
});

const ended = Object.assign(new Error('terminating connection'), { code: '57P01' });
const refused = Object.assign(new Error('connect'), { code: 'ECONNREFUSED' });

test.each([
  ['a lost connection', ended, 7],
  ['a lost connection, wrapped', new Error('failed', { cause: ended }), 7],
  ['a connection that cannot be had', refused, 1],
  ['any other error', new Error('column does not exist'), 1],
])('after %s a read is tried so often as can help', async (_, error, attempts) => {
  let calls = 0;
  const read = readAgainIfConnectionLost(() => {
    calls += 1;
    return Promise.reject(error);
  });
  await expect(read).rejects.toBe(error);
  expect(calls).toBe(attempts);
});
