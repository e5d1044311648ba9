import { randomBytes } from 'node:crypto';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { connectServer, createLogger } from '@billing/platform';
import type { Loop } from '@billing/platform';
import { createTestDatabase, startTestRedis, waitFor } from '@billing/testing';
import type { TestDatabase, TestRedis } from '@billing/testing';
import type { Redis } from 'ioredis';
import { changeProject, changeUser } from '../change-user.ts';
import { createDatabase } from '../create-database.ts';
import type { Database } from '../create-database.ts';
import { readSources } from '../read-sources.ts';
import { publishInvalidations } from '../outbox.ts';
import { createEntitlementCache } from './entitlement-cache.ts';
import type { EntitlementCache, NewEntry } from './entitlement-cache.ts';

const logger = createLogger({ service: 'test', level: 'error', format: 'json' });
const unique = (): string => randomBytes(6).toString('hex');

describe('the entitlement cache', () => {
  let testDatabase: TestDatabase;
  let testRedis: TestRedis;
  let database: Database;
  let redis: Redis;
  let cache: EntitlementCache;
  let offsetMs = 0;
  const loops: Loop[] = [];
  const projectId = 'project';

  async function openCache(ttlSeconds = 300): Promise<{ redis: Redis; cache: EntitlementCache }> {
    const connection = connectServer({ url: testRedis.url, role: 'cache', logger });
    const opened = createEntitlementCache({
      redis: connection,
      database,
      clock: () => Date.now() + offsetMs,
      logger,
      ttlSeconds,
    });
    loops.push(opened.follow());
    await waitFor(() => opened.enabledShare() > 0, { what: 'the cache' });
    return { redis: connection, cache: opened };
  }

  beforeAll(async () => {
    [testDatabase, testRedis] = await Promise.all([createTestDatabase(), startTestRedis()]);
    database = createDatabase({
      url: testDatabase.url,
      poolSize: 8,
      connectTimeoutMs: 5_000,
      statementTimeoutMs: 5_000,
    });
    ({ redis, cache } = await openCache());
    await database.project.create({ data: { id: projectId, name: 'Project' } });
  });
  afterAll(async () => {
    await Promise.all(loops.map((loop) => loop.stop()));
    redis.disconnect();
    await database.$disconnect();
    await Promise.all([testDatabase.drop(), testRedis.stop()]);
  });
  afterEach(() => {
    offsetMs = 0;
  });

  const entry = (userId: string, fields: Partial<NewEntry> = {}): NewEntry => ({
    projectId,
    userId,
    isKnown: true,
    userVersion: 1,
    validUntil: null,
    answer: '{"v":1',
    ...fields,
  });

  async function ticketFor(userId: string, from = cache) {
    const found = await from.lookUp(projectId, userId);
    if (found.state !== 'miss') throw new Error(`expected a miss, got ${found.state}`);
    return found.ticket;
  }

  const stateOf = async (userId: string) => (await cache.lookUp(projectId, userId)).state;

  /** What a reader does: look up, read Postgres, fill; `pause` runs between the read and the fill. */
  async function readThrough(userId: string, pause?: () => Promise<unknown>): Promise<number> {
    const found = await cache.lookUp(projectId, userId);
    if (found.state === 'hit') return Number(found.answer.slice(1));
    const read = (await readSources(database, projectId, [userId])).get(userId);
    const version = read?.userVersion ?? 0;
    await pause?.();
    if (found.state === 'miss')
      await cache.fill(found.ticket, entry(userId, { userVersion: version, answer: `{${version}` }));
    return version;
  }

  async function change(userId: string): Promise<number> {
    const { pending } = await changeUser(database, { projectId, userId }, async () => ({
      result: undefined,
      changed: true,
    }));
    await publishInvalidations({ database, cache, logger }, pending);
    return Number(pending[0]?.version);
  }

  it('serves what was filled, and nothing after the invalidation', async () => {
    const userId = unique();
    expect(await cache.fill(await ticketFor(userId), entry(userId))).toBe('stored');
    expect(await cache.lookUp(projectId, userId)).toMatchObject({ state: 'hit', answer: '{"v":1' });
    await cache.invalidate([{ projectId, userId, version: 2n }]);
    expect(await cache.lookUp(projectId, userId)).toMatchObject({ state: 'miss', leastVersion: 2 });
    expect(await cache.fill(await ticketFor(userId), entry(userId))).toBe('outdated');
    expect(await cache.fill(await ticketFor(userId), entry(userId, { userVersion: 2 }))).toBe('stored');
    // A late invalidation changes nothing.
    await cache.invalidate([{ projectId, userId, version: 2n }]);
    expect(await stateOf(userId)).toBe('hit');
  });

  it('is never stale after the invalidation in 400 races of a slow fill against a commit', async () => {
    let misses = 0;
    for (let round = 0; round < 20; round += 1) {
      await Promise.all(
        Array.from({ length: 20 }, async (_unused, index) => {
          const userId = `race-${round}-${index}`;
          await change(userId);
          // Some fills come before the commit, some between commit and invalidation, some after both.
          const slow = readThrough(userId, async () => {
            for (let turn = 0; turn < (index * 7) % 40; turn += 1) await nextTurn();
          });
          const committed = await change(userId);
          const afterwards = await readThrough(userId);
          await slow;
          const last = await readThrough(userId);
          if (afterwards < committed || last < committed) misses += 1;
        }),
      );
    }
    expect(misses).toBe(0);
  });

  it('never goes backwards for readers among writers', async () => {
    const userId = unique();
    const progress = { isDone: false };
    let last = 0;
    const writer = async (): Promise<void> => {
      for (let round = 0; round < 60; round += 1) await change(userId);
      progress.isDone = true;
    };
    const slowReader = async (): Promise<void> => {
      while (!progress.isDone) await readThrough(userId, () => nextTurn());
    };
    const reader = async (): Promise<void> => {
      while (!progress.isDone) {
        const version = await readThrough(userId);
        expect(version).toBeGreaterThanOrEqual(last);
        last = version;
      }
    };
    await Promise.all([writer(), slowReader(), slowReader(), reader()]);
    expect(await readThrough(userId)).toBe(60);
  });

  it('makes all answers of a project old with one generation', async () => {
    const users = Array.from({ length: 20 }, unique);
    for (const userId of users) await cache.fill(await ticketFor(userId), entry(userId));
    const early = await ticketFor(unique());
    const { pending } = await changeProject(database, projectId, async () => ({
      result: undefined,
      changed: {},
    }));
    await publishInvalidations({ database, cache, logger }, pending);
    for (const userId of users) expect(await stateOf(userId)).toBe('miss');
    // A read that began before the change is not stored after it.
    expect(await cache.fill(early, entry('late'))).toBe('skipped');
  });

  it('trusts nothing from before a FLUSHALL', async () => {
    const userId = unique();
    const early = await ticketFor(userId);
    await redis.flushall();
    expect(await cache.fill(early, entry(userId))).toBe('skipped');
    expect(await stateOf(userId)).toBe('miss');
    expect(await cache.fill(await ticketFor(userId), entry(userId))).toBe('stored');
  });

  it('trusts nothing from another run of the server, such as one restored from an old dump', async () => {
    const userId = unique();
    await cache.fill(await ticketFor(userId), entry(userId));
    const key = (await redis.keys(`*${userId}`))[0] ?? '';
    const stored = (await redis.get(key)) ?? '';
    const [generation, runId = '', ...rest] = stored.split('|');
    await redis.set(
      key,
      [generation, runId.split('').reverse().join('').replace(/./, 'z'), ...rest].join('|'),
    );
    expect(await stateOf(userId)).toBe('miss');
    await redis.set(key, stored);
    expect(await stateOf(userId)).toBe('hit');
  });

  it('obeys the end of an answer and the longest time, by the clock it was given', async () => {
    const userId = unique();
    await cache.fill(await ticketFor(userId), entry(userId, { validUntil: Date.now() + 5_000 }));
    offsetMs = 4_000;
    expect(await stateOf(userId)).toBe('hit');
    offsetMs = 5_001;
    expect(await stateOf(userId)).toBe('miss');
    offsetMs = 0;
    const lasting = unique();
    await cache.fill(await ticketFor(lasting), entry(lasting));
    offsetMs = 299_000;
    expect(await stateOf(lasting)).toBe('hit');
    offsetMs = 300_001;
    expect(await stateOf(lasting)).toBe('miss');
    offsetMs = 0;
    const key = (await redis.keys(`*${lasting}`))[0] ?? '';
    expect(await redis.pttl(key)).toBeLessThanOrEqual(300_000);
    expect(await cache.fill(await ticketFor(unique()), entry('over', { validUntil: Date.now() - 1 }))).toBe(
      'skipped',
    );
  });

  it('guards against a slow older fill even when the newer answer has ended', async () => {
    const userId = unique();
    const slow = await ticketFor(userId);
    await cache.invalidate([{ projectId, userId, version: 5n }]);
    const newer = entry(userId, { userVersion: 5, validUntil: Date.now() + 30 });
    expect(await cache.fill(await ticketFor(userId), newer)).toBe('stored');
    await waitFor(async () => (await stateOf(userId)) === 'miss', { what: 'the end of the newer answer' });
    expect(await cache.fill(slow, entry(userId, { userVersion: 4 }))).toBe('outdated');
  });

  it('keeps users whose ids could be confused apart', async () => {
    const pairs = [
      ['a', 'b:c'],
      ['a:b', 'c'],
      ['1:a', 'b'],
      ['1', 'a:b'],
      ['a', '1:a:b'],
      ['ü', 'x'],
      ['u\u0308', 'x'],
      ['a|b', 'c'],
    ] as const;
    for (const [project, userId] of pairs) {
      const found = await cache.lookUp(project, userId);
      if (found.state !== 'miss') throw new Error('two pairs share a key');
      await cache.fill(
        found.ticket,
        entry(userId, { projectId: project, answer: `{"${project}/${userId}"` }),
      );
    }
    for (const [project, userId] of pairs)
      expect(await cache.lookUp(project, userId)).toMatchObject({
        state: 'hit',
        answer: `{"${project}/${userId}"`,
      });
  });

  it('does not let unknown users fill Redis', async () => {
    const own = await openCache();
    const before = await own.redis.dbsize();
    const tickets = await ticketFor(unique(), own.cache);
    for (let batch = 0; batch < 15; batch += 1)
      await Promise.all(
        Array.from({ length: 200 }, () =>
          own.cache.fill(tickets, entry(unique(), { isKnown: false, userVersion: 0 })),
        ),
      );
    // A thousand a minute, and the test may see the turn of a minute.
    expect((await own.redis.dbsize()) - before).toBeLessThanOrEqual(2_001);
    own.redis.disconnect();
  });

  it('drops old answers even when Redis is full', async () => {
    const userId = unique();
    await cache.fill(await ticketFor(userId), entry(userId));
    const early = await ticketFor(unique());
    await redis.config('SET', 'maxmemory', '1');
    try {
      await cache.invalidate([{ projectId, userId, version: 2n }]);
      expect(await redis.keys(`*${userId}`)).toEqual([]);
      expect(await cache.fill(early, entry(userId))).toBe('skipped');
    } finally {
      await redis.config('SET', 'maxmemory', '0');
    }
    expect(await stateOf(userId)).not.toBe('hit');
  });

  it('does not go back behind what it answered while Redis was away', async () => {
    const own = await openCache();
    const userId = unique();
    await own.cache.fill(await ticketFor(userId, own.cache), entry(userId));
    own.cache.rememberAnswered(projectId, userId, 2);
    expect(await own.cache.lookUp(projectId, userId)).toMatchObject({ state: 'miss', leastVersion: 2 });
    own.redis.disconnect();
  });

  it('does not go back behind an answer that was given before Redis acknowledged it, and refused it', async () => {
    const own = await openCache();
    const userId = unique();
    const early = await ticketFor(userId, own.cache);
    await own.redis.flushall();
    await own.cache.fill(await ticketFor(userId, own.cache), entry(userId));
    expect(await own.cache.fill(early, entry(userId, { userVersion: 2 }))).toBe('skipped');
    expect(await own.cache.lookUp(projectId, userId)).toMatchObject({ state: 'miss', leastVersion: 2 });
    const next = await ticketFor(userId, own.cache);
    expect(await own.cache.fill(next, entry(userId, { userVersion: 2, answer: '{"v":2' }))).toBe('stored');
    expect(await own.cache.lookUp(projectId, userId)).toMatchObject({ state: 'hit', answer: '{"v":2' });
    own.redis.disconnect();
  });

  it('is unavailable, and says so at once, while Redis is down; it comes back by itself', async () => {
    await testRedis.stop();
    await waitFor(() => !cache.isAvailable(), { what: 'the loss of Redis' });
    expect(await stateOf('anyone')).toBe('unavailable');
    await expect(cache.invalidate([{ projectId, userId: 'u', version: 1n }])).rejects.toThrow(
      'not connected',
    );
    await testRedis.start();
    await waitFor(() => cache.enabledShare() === 1, { what: 'Redis' });
    expect(await stateOf('anyone')).toBe('miss');
  });
});
