import { createHash } from 'node:crypto';
import { createLogger, connectServer } from '@billing/platform';
import { createTestDatabase, createTestProxy, startTestRedis, waitFor } from '@billing/testing';
import type { TestDatabase, TestProxy, TestRedis } from '@billing/testing';
import type { Redis } from 'ioredis';
import { createDatabase } from '../create-database.ts';
import type { Database } from '../create-database.ts';
import { createApiKey, revokeApiKey } from '../keys/admin-api-keys.ts';
import { createKeyDirectory } from './key-directory.ts';
import type { KeyDirectory } from './key-directory.ts';

const logger = createLogger({ service: 'test', level: 'error', format: 'json' });
const actor = { name: 'test', requestId: 'r' };

let testDatabase: TestDatabase;
let testRedis: TestRedis;
let proxy: TestProxy;
let redis: Redis;
/** Two processes: the second one's way to Postgres can be broken. */
let databases: [Database, Database];
let directories: [KeyDirectory, KeyDirectory];
const asked: string[] = [];

beforeAll(async () => {
  [testDatabase, testRedis] = await Promise.all([createTestDatabase(), startTestRedis()]);
  proxy = await createTestProxy({ port: Number(new URL(testDatabase.url).port) });
  redis = connectServer({ url: testRedis.url, role: 'cache', logger });
  const open = (url: string, observe?: (operation: string) => void) =>
    createDatabase({
      url,
      poolSize: 2,
      connectTimeoutMs: 2_000,
      statementTimeoutMs: 2_000,
      ...(observe === undefined ? {} : { observe }),
    });
  databases = [
    open(testDatabase.url, (operation) => asked.push(operation)),
    open(proxy.urlFor(testDatabase.url)),
  ];
  await databases[0].project.create({ data: { id: 'p', name: 'p' } });
  const directory = (database: Database) =>
    createKeyDirectory({ database, redis, clock: () => Date.now(), logger });
  directories = [directory(databases[0]), directory(databases[1])];
  await waitFor(() => redis.status === 'ready', { what: 'Redis' });
});
afterEach(() => proxy.setMode('pass'));
afterAll(async () => {
  await Promise.all(databases.map((database) => database.$disconnect()));
  redis.disconnect();
  await proxy.close();
  await Promise.all([testDatabase.drop(), testRedis.stop()]);
});

async function makeKey(): Promise<{ keyId: string; secret: string }> {
  const { key, secret } = await createApiKey(databases[0], { projectId: 'p', request: {}, actor });
  return { keyId: key.id, secret };
}

async function revoke(keyId: string): Promise<void> {
  const digest = await revokeApiKey(databases[0], { projectId: 'p', keyId, now: Date.now(), actor });
  await directories[0].forget(digest);
}

test('several keys of a project live at once, each with its own end', async () => {
  const [first, second] = [await makeKey(), await makeKey()];
  for (const { keyId, secret } of [first, second])
    await expect(directories[0].find(secret)).resolves.toMatchObject({ keyId, projectId: 'p' });
  await revoke(first.keyId);
  await expect(directories[0].find(first.secret)).resolves.toBeNull();
  await expect(directories[0].find(second.secret)).resolves.toMatchObject({ keyId: second.keyId });
});

test('Postgres has the digest, and nowhere the key', async () => {
  const { keyId, secret } = await makeKey();
  const row = await databases[0].apiKey.findUniqueOrThrow({ where: { id: keyId } });
  expect(Buffer.from(row.digest)).toEqual(createHash('sha256').update(secret).digest());
  const everything = JSON.stringify(
    [row, await databases[0].auditEntry.findMany({ include: { readable: true } })],
    (_key, value: unknown) => (typeof value === 'bigint' ? String(value) : value),
  );
  expect(everything).not.toContain(secret);
  expect(everything).not.toContain(secret.slice(row.prefix.length));
});

test('junk costs no query', async () => {
  const { secret } = await makeKey();
  const swapped = secret.slice(0, -1) + (secret.endsWith('a') ? 'b' : 'a');
  asked.length = 0;
  for (const junk of ['', 'proj_', 'nonsense', `proj_${'a'.repeat(40)}`, swapped, `${secret}x`])
    await expect(directories[0].find(junk)).resolves.toBeNull();
  expect(asked).toEqual([]);
});

test.each(['freeze', 'refuse'] as const)(
  'a key that was revoked elsewhere is refused also where Postgres cannot be asked (%s)',
  async (mode) => {
    const [revoked, living] = [await makeKey(), await makeKey()];
    for (const { secret } of [revoked, living])
      await expect(directories[1].find(secret)).resolves.not.toBeNull();
    await proxy.setMode(mode);
    await revoke(revoked.keyId);
    await expect(directories[1].find(revoked.secret)).resolves.toBeNull();
    await expect(directories[1].find(living.secret)).resolves.toMatchObject({ keyId: living.keyId });
  },
);

test('a copy that comes late does not bring a revoked key back', async () => {
  const { keyId, secret } = await makeKey();
  await expect(directories[1].find(secret)).resolves.not.toBeNull();
  const copy = `ent:k:${createHash('sha256').update(secret).digest('hex')}`;
  const written = await waitFor(async () => (await redis.get(copy)) ?? null, { what: 'the copy' });
  await revoke(keyId);
  await redis.set(copy, written);
  await proxy.setMode('refuse');
  await expect(directories[1].find(secret)).resolves.toBeNull();
});
