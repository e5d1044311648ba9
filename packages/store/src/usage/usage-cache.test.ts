import { emptyUsageState } from '@billing/domain';
import { connectServer } from '@billing/platform';
import type { Loop } from '@billing/platform';
import { startTestRedis, waitFor } from '@billing/testing';
import type { TestRedis } from '@billing/testing';
import type { Redis } from 'ioredis';
import { createEntitlementCache } from '../cache/entitlement-cache.ts';
import type { EntitlementCache } from '../cache/entitlement-cache.ts';
import { readSources } from '../read-sources.ts';
import { openedAccount } from './read-usage.ts';
import { followUnmarkedCommits } from './unmarked-commits.ts';
import { createUsageCache } from './usage-cache.ts';
import type { UsageCache } from './usage-cache.ts';
import type { KnownAccount } from './usage-entry.ts';
import { asked, silent, startUsage, testSettings, use } from './usage.test-support.ts';
import type { TestUsage } from './usage.test-support.ts';
import { deriveSources } from './user-sources.ts';

let usage: TestUsage;
let testRedis: TestRedis;
let redis: Redis;
let cache: EntitlementCache;
let following: Loop;
let toldSince = Number.NEGATIVE_INFINITY;

beforeAll(async () => {
  [usage, testRedis] = await Promise.all([startUsage(), startTestRedis()]);
  const { database, clock } = usage;
  redis = connectServer({ url: testRedis.url, role: 'cache', logger: silent });
  cache = createEntitlementCache({ redis, database, clock, logger: silent, ttlSeconds: 300 });
  following = cache.follow();
  await waitFor(() => cache.enabledShare() > 0, { what: 'the cache' });
});
afterAll(async () => {
  await following.stop();
  redis.disconnect();
  await Promise.all([usage.close(), testRedis.stop()]);
});
beforeEach(() => {
  toldSince = Number.NEGATIVE_INFINITY;
});

/** The cache as a process of its own has it. */
const createProcess = (): UsageCache =>
  createUsageCache({ cache, clock: usage.clock, toldSince: () => toldSince });

const keyOf = (userId: string) => ({ projectId: 'p', userId, featureCode: 'calls' });

/** The account as it is after so many commits. */
async function known(userId: string, usageSeq: number): Promise<KnownAccount> {
  const read = (await readSources(usage.database, 'p', [userId])).get(userId);
  if (read === undefined) throw new Error('there is no project');
  const sources = deriveSources(read, testSettings, usage.clock());
  const account = openedAccount(sources, 'calls', { state: { ...emptyUsageState, usageSeq }, held: [] });
  return { ...keyOf(userId), sources, account };
}

/** Looks up, reads and fills as a check does; `meanwhile` comes between its read and its fill. */
async function check(process: UsageCache, account: KnownAccount, meanwhile?: () => Promise<unknown>) {
  const { ticket, entitlements } = await process.lookUp(account);
  if (ticket === null) throw new Error('Redis is not asked');
  if (entitlements.state === 'miss') {
    const { userId, userVersion } = account.sources.read;
    const entry = { projectId: 'p', userId, isKnown: true, userVersion, validUntil: null, answer: '{"v":1' };
    await cache.fill(entitlements.ticket, entry);
  }
  await meanwhile?.();
  await process.fill(ticket, account);
}

const servedSeq = async (process: UsageCache, userId: string) =>
  (await process.lookUp(keyOf(userId))).copy?.usageSeq ?? null;

test('a copy is served for a minute where Redis was told of all commits', async () => {
  await usage.grant('long', 10);
  const process = createProcess();
  await check(process, await known('long', 1));
  expect(await servedSeq(createProcess(), 'long')).toBe(1);
  usage.advance(50_000);
  expect(await servedSeq(createProcess(), 'long')).toBe(1);
  usage.advance(11_000);
  expect(await servedSeq(createProcess(), 'long')).toBeNull();
});

test('a copy of what was read before Redis was told of all commits is served for less than a second', async () => {
  await usage.grant('short', 10);
  const process = createProcess();
  await check(process, await known('short', 1));
  toldSince = usage.clock() + 1_000;
  expect(await servedSeq(process, 'short')).toBe(1);
  usage.advance(1_000);
  expect(await servedSeq(process, 'short')).toBeNull();
  // Also one that comes late: it is as old as its reading.
  toldSince = usage.clock() + 1_000;
  const old = await known('short', 1);
  usage.advance(2_000);
  await check(process, old);
  expect(await servedSeq(process, 'short')).toBeNull();
});

test('all is emptied between the mark and the commit: a slow reader leaves no older copy behind', async () => {
  await usage.grant('flushed', 10);
  const [writer, reader] = [createProcess(), createProcess()];
  const [before, after] = [await known('flushed', 1), await known('flushed', 2)];
  await check(reader, before);
  const mark = await writer.mark([after]);
  await redis.flushall();
  // The reader looks up after that, and has read before the commit.
  await check(reader, before, () => writer.store(mark, [after]));
  expect(await servedSeq(createProcess(), 'flushed')).toBeNull();
  expect((await createProcess().lookUp(after)).leastSeq).toBe(2);
});

test('a process serves nothing older than it answered, whatever Redis has', async () => {
  await usage.grant('answered', 10);
  const [process, other] = [createProcess(), createProcess()];
  const newer = await known('answered', 3);
  process.rememberAnswered(newer, 3);
  // Redis was emptied since it looked up: what it read is not taken.
  await check(process, newer, () => redis.flushall());
  await check(other, await known('answered', 2));
  expect(await servedSeq(other, 'answered')).toBe(2);
  expect(await servedSeq(process, 'answered')).toBeNull();
});

test('an older copy takes no place of a newer one, and a commit takes those of all others', async () => {
  await usage.grant('newer', 10);
  const [process, other] = [createProcess(), createProcess()];
  await check(process, await known('newer', 2));
  const old = await known('newer', 1);
  await check(other, old);
  expect(await servedSeq(other, 'newer')).toBe(2);
  const next = await known('newer', 3);
  const mark = await process.mark([next]);
  expect(await servedSeq(other, 'newer')).toBeNull();
  await process.store(mark, [next]);
  expect(await servedSeq(other, 'newer')).toBe(3);
});

test.each([
  ['the same event', {}],
  ['one that is refused', { eventId: 'too_much', quantity: 100 }],
])('%s is answered past the cache: what is known of then is not forgotten', async (what, fields) => {
  await usage.grant(what, 10);
  const process = createProcess();
  const own = usage.process({}, process);
  await check(process, await known(what, 0));
  expect(await servedSeq(process, what)).toBe(0);
  // Another process takes, and Redis is told nothing.
  const event = use(what, { quantity: 4 });
  await usage.submit(asked(what, event));
  const result = await own.submit(asked(what, { ...event, ...fields }));
  expect(result).toMatchObject({ answer: { usage_seq: 1 } });
  expect(await servedSeq(process, what)).toBeNull();
});

describe('commits that Redis was not told of', () => {
  test('are noted with the commit, and known to those who ask', async () => {
    await usage.grant('noted', 10);
    const { database, clock } = usage;
    const followed = followUnmarkedCommits({ database, clock });
    expect(followed.toldSince()).toBe(Number.POSITIVE_INFINITY);
    await followed.ask();
    const first = followed.toldSince();
    expect(first).toBeLessThan(Number.POSITIVE_INFINITY);
    usage.advance(60_000);
    await followed.ask();
    expect(followed.toldSince()).toBe(first);
    // The cache of this process is away.
    await usage.submit(asked('noted', use('noted_1')));
    await followed.ask();
    const second = followed.toldSince();
    expect(second).toBeGreaterThan(first);
    usage.advance(60_000);
    await followed.ask();
    expect(followed.toldSince()).toBe(second);
  });

  test('count once they are committed, however late that is', async () => {
    const { database, clock } = usage;
    const followed = followUnmarkedCommits({ database, clock });
    await followed.ask();
    const before = followed.toldSince();
    usage.advance(60_000);
    await database.$transaction(async (tx) => {
      await tx.$executeRaw`INSERT INTO public.usage_unmarked_commits DEFAULT VALUES`;
      await followed.ask();
      await followed.ask();
      expect(followed.toldSince()).toBe(before);
    });
    await followed.ask();
    expect(followed.toldSince()).toBeGreaterThan(before);
  });

  test('may have been missed while Postgres did not answer', async () => {
    const { database, clock } = usage;
    let isAway = false;
    const reach: typeof database.$queryJson = (statement) =>
      isAway ? Promise.reject(new Error('Postgres is away')) : database.$queryJson(statement);
    const followed = followUnmarkedCommits({ database: { $queryJson: reach }, clock });
    await followed.ask();
    const before = followed.toldSince();
    usage.advance(60_000);
    isAway = true;
    await expect(followed.ask()).rejects.toThrow('away');
    expect(followed.toldSince()).toBe(before);
    isAway = false;
    await followed.ask();
    expect(followed.toldSince()).toBeGreaterThan(before);
  });
});
