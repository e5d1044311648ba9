import { createHash, randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { apiKeyRandomBytes, formatApiKey } from '@billing/domain';
import { connectServer, createLogger } from '@billing/platform';
import type { Loop } from '@billing/platform';
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
/** Where changes are made, and a process that only follows them. */
let writer: Database;
let database: Database;
let directory: KeyDirectory;
let following: Loop;
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
      statementTimeoutMs: 20_000,
      ...(observe === undefined ? {} : { observe }),
    });
  writer = open(testDatabase.url);
  database = open(proxy.urlFor(testDatabase.url), (operation) => asked.push(operation));
  await writer.project.createMany({ data: ['p', 'q', 'switched'].map((id) => ({ id, name: id })) });
  directory = createKeyDirectory({ database, redis, clock: () => Date.now(), logger });
  following = directory.follow();
  await Promise.all([directory.loaded, waitFor(() => redis.status === 'ready', { what: 'Redis' })]);
});
afterEach(() => proxy.setMode('pass'));
afterAll(async () => {
  await following.stop();
  await Promise.all([database.$disconnect(), writer.$disconnect()]);
  redis.disconnect();
  await proxy.close();
  await Promise.all([testDatabase.drop(), testRedis.stop()]);
});

const makeKey = async (projectId = 'p') => {
  const { key, secret } = await createApiKey(writer, { projectId, request: {}, actor });
  return { keyId: key.id, secret };
};
const within = { timeoutMs: 5_000 };

test('a new key, a revoked one and a changed end are known within a second, without being asked for', async () => {
  const { keyId, secret } = await makeKey();
  await waitFor(() => directory.peek(secret) !== undefined, { what: 'the new key', ...within });
  const expiresAt = new Date(Date.now() + 5_000);
  await writer.apiKey.update({ where: { id: keyId }, data: { expiresAt } });
  await waitFor(() => directory.peek(secret)?.expiresAt === expiresAt.getTime(), {
    what: 'its end',
    ...within,
  });
  await revokeApiKey(writer, { projectId: 'p', keyId, now: Date.now(), actor });
  await waitFor(() => !directory.isKnown(secret), { what: 'its revocation', ...within });
  await expect(directory.find(secret)).resolves.toBeNull();
});

test('a change that is committed long after it was written is not missed', async () => {
  const [early, late] = [await makeKey(), await makeKey()];
  await waitFor(() => directory.peek(late.secret) !== undefined, { what: 'the keys', ...within });
  await writer.$transaction(async (tx) => {
    await tx.apiKey.update({ where: { id: early.keyId }, data: { revokedAt: new Date() } });
    // Meanwhile a later transaction is committed and seen.
    await database.apiKey.update({ where: { id: late.keyId }, data: { revokedAt: new Date() } });
    await waitFor(() => !directory.isKnown(late.secret), { what: 'the later change', ...within });
    await sleep(600);
    expect(directory.isKnown(early.secret)).toBe(true);
  });
  await waitFor(() => !directory.isKnown(early.secret), { what: 'the earlier change', ...within });
});

test('a project that is switched off and on again is known within a second', async () => {
  const { secret } = await makeKey('switched');
  for (const isActive of [false, true]) {
    await writer.project.update({ where: { id: 'switched' }, data: { isActive } });
    await waitFor(() => directory.peek(secret)?.isProjectActive === isActive, {
      what: 'the switch',
      ...within,
    });
    expect((await directory.find(secret))?.isProjectActive).toBe(isActive);
  }
});

test.each(['freeze', 'refuse'] as const)(
  'without Postgres (%s) a project that another process switched off is refused within a second',
  async (mode) => {
    const other = createKeyDirectory({ database: writer, redis, clock: () => Date.now(), logger });
    const { secret } = await makeKey('q');
    await waitFor(() => directory.peek(secret) !== undefined, { what: 'the key', ...within });
    await proxy.setMode(mode);
    const activity = async () => (directory.peek(secret) ?? (await directory.find(secret)))?.isProjectActive;
    for (const isActive of [false, true]) {
      await other.switchProject('q', isActive);
      await waitFor(async () => (await activity()) === isActive, { what: 'the switch', ...within });
      expect(await activity()).toBe(isActive);
    }
  },
);

test('after an outage all keys are held as before, and what changed meanwhile is known', async () => {
  const [kept, revoked] = [await makeKey(), await makeKey()];
  await waitFor(() => directory.peek(revoked.secret) !== undefined, { what: 'the keys', ...within });
  await proxy.setMode('refuse');
  await revokeApiKey(writer, { projectId: 'p', keyId: revoked.keyId, now: Date.now(), actor });
  await sleep(800);
  expect(directory.peek(kept.secret)).toBeUndefined();
  await expect(directory.find(kept.secret)).resolves.toMatchObject({ keyId: kept.keyId });
  await proxy.setMode('pass');
  await waitFor(() => directory.peek(kept.secret) !== undefined, { what: 'Postgres' });
  await waitFor(() => !directory.isKnown(revoked.secret), { what: 'the revocation' });
});

/** Bytes of the heap that are in use, garbage not among them. */
function heapInUse(): number {
  setFlagsFromString('--expose-gc');
  runInNewContext('gc()');
  return process.memoryUsage().heapUsed;
}

test('100,000 busy keys cost Postgres at most ten statements a second', async () => {
  const known = Array.from({ length: 200 }, () => formatApiKey(randomBytes(apiKeyRandomBytes)));
  await writer.$executeRaw`
    INSERT INTO api_keys (id, project_id, prefix, digest)
    SELECT 'many_' || n, 'p', 'proj_', sha256(n::text::bytea) FROM generate_series(1, 100000) AS n`;
  await writer.apiKey.createMany({
    data: known.map((secret, index) => ({
      id: `busy_${index}`,
      projectId: 'p',
      prefix: 'proj_',
      digest: new Uint8Array(createHash('sha256').update(secret).digest()),
    })),
  });
  const fresh = createKeyDirectory({ database, redis, clock: () => Date.now(), logger });
  await following.stop();
  const before = heapInUse();
  following = fresh.follow();
  await fresh.loaded;
  expect((heapInUse() - before) / 100_000).toBeLessThan(1_000);
  asked.length = 0;
  const startedAt = performance.now();
  while (performance.now() - startedAt < 3_000) {
    for (const secret of known) expect(fresh.peek(secret) ?? (await fresh.find(secret))).not.toBeNull();
    await sleep(10);
  }
  // On a busy machine the last round ends later.
  expect(asked.length / ((performance.now() - startedAt) / 1_000)).toBeLessThanOrEqual(10);
  await waitFor(
    async () =>
      (await writer.apiKey.count({ where: { id: { startsWith: 'busy_' }, lastUsedAt: { not: null } } })) ===
      200,
    { what: 'the times of use' },
  );
}, 60_000);
