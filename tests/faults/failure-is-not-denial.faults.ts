import { setTimeout as sleep } from 'node:timers/promises';
import { waitFor } from '@billing/testing';
import { Client } from 'pg';
import { bodyOf, cacheOf, featuresOf } from './support/api-client.ts';
import type { Answer } from './support/api-client.ts';
import { untilFeature } from './support/checks.ts';
import { endSessions } from './support/dependencies.ts';
import { inQuick, timeRecovery, seenWithin } from './support/run-options.ts';
import { openShop, uniqueId } from './support/shop.ts';
import type { Shop } from './support/shop.ts';
import { startStack } from './support/stack.ts';
import type { Stack } from './support/stack.ts';

let stack: Stack;
let shop: Shop;

beforeAll(async () => {
  stack = await startStack();
  shop = await openShop(stack);
});
afterAll(() => stack.close());

/** Starts a fault; returns what ends it. */
type Fault = () => Promise<() => Promise<unknown>>;

const proxied =
  (name: 'database' | 'cache', mode: 'refuse' | 'freeze' | 'half_open'): Fault =>
  async () => {
    await stack.setMode(name, mode, ['api']);
    return () => stack.setMode(name, 'pass', ['api']);
  };

const both =
  (...faults: Fault[]): Fault =>
  async () => {
    const ends = await Promise.all(faults.map((fault) => fault()));
    return () => Promise.all(ends.map((end) => end()));
  };

/** A migration that locks what checks read. */
const databaseLocked: Fault = async () => {
  const client = new Client({ connectionString: stack.database.url });
  await client.connect();
  await client.query('BEGIN; LOCK TABLE users, subscriptions, grants IN ACCESS EXCLUSIVE MODE');
  return () => client.end();
};

/** All connections of the pool wait for a lock, so that no other request gets one. */
const poolFull: Fault = async () => {
  const unlock = await databaseLocked();
  for (const client of stack.clients)
    for (let index = 0; index < 12; index += 1)
      void client.check(shop.apiKey, uniqueId('filler')).catch(() => null);
  await sleep(300);
  return unlock;
};

/** As after a failover to a replica. */
const databaseReadOnly: Fault = async () => {
  const { asAdmin } = stack.database;
  await asAdmin('ALTER DATABASE billing SET default_transaction_read_only = on', endSessions);
  return () => asAdmin('ALTER DATABASE billing RESET default_transaction_read_only', endSessions);
};

const cacheReadOnly: Fault = async () => {
  await stack.direct.cache.replicaof('127.0.0.1', '9');
  return () => stack.direct.cache.replicaof('NO', 'ONE');
};

const fromRedis = { warm: '200 hit', cold: '503 service_unavailable' };
const fromPostgres = { warm: '200 bypass', cold: '200 bypass' };
const unavailable = { warm: '503 service_unavailable', cold: '503 service_unavailable' };

// Naive: an error of the cache or of Postgres becomes an empty list, a 500, or a wait without end.
const table: [name: string, fault: () => Fault, answers: { warm: string | RegExp; cold: string | RegExp }][] =
  [
    ['Postgres stopped', () => proxied('database', 'refuse'), fromRedis],
    ['Postgres frozen', () => proxied('database', 'freeze'), fromRedis],
    ['Postgres half-open', () => proxied('database', 'half_open'), fromRedis],
    ['Postgres locked', () => databaseLocked, fromRedis],
    ['Postgres read-only', () => databaseReadOnly, { warm: '200 hit', cold: '200 miss' }],
    ['Postgres pool full', () => poolFull, fromRedis],
    ['Redis stopped', () => proxied('cache', 'refuse'), fromPostgres],
    ['Redis frozen', () => proxied('cache', 'freeze'), fromPostgres],
    ['Redis half-open', () => proxied('cache', 'half_open'), fromPostgres],
    // A replica is noticed at the first write, and no longer read from then on: its entries could not be invalidated.
    ['Redis read-only', () => cacheReadOnly, { warm: /^200 (hit|bypass)$/, cold: /^200 (miss|bypass)$/ }],
    ['both stopped', () => both(proxied('database', 'refuse'), proxied('cache', 'refuse')), unavailable],
    ['both frozen', () => both(proxied('database', 'freeze'), proxied('cache', 'freeze')), unavailable],
  ];

const exactly = (kind: string, answer: string | RegExp): RegExp =>
  new RegExp(`^${kind}: ${typeof answer === 'string' ? `${answer}$` : answer.source.slice(1)}`);

const nameOf = (answer: Answer): string =>
  answer.status === 200 ? `200 ${cacheOf(answer)}` : `${answer.status} ${bodyOf(answer).code}`;

async function untilHits(warmUser: string): Promise<void> {
  const askAll = (userId: string) =>
    Promise.all(stack.clients.map((client) => client.check(shop.apiKey, userId)));
  await waitFor(
    async () => {
      const [warm, cold] = [await askAll(warmUser), await askAll(uniqueId('unknown'))];
      if (warm.every((answer) => nameOf(answer) === '200 hit') && cold.every(({ status }) => status === 200))
        return true;
      throw new Error([...warm, ...cold].map(nameOf).join(', '));
    },
    { what: 'hits at both APIs', timeoutMs: 30_000, intervalMs: 50 },
  );
}

/** What the quick suite leaves out differs from its neighbours in the socket only. */
const onlyWhole = new Set(['Postgres half-open', 'Redis half-open', 'both stopped']);

it.each(
  inQuick(
    table.filter(([what]) => !onlyWhole.has(what)),
    table,
  ),
)('%s: warm and cold reads get the answer of the table within a second', async (what, fault, expected) => {
  const warmUser = uniqueId('warm');
  const rounds = Array.from({ length: inQuick(2, 4) }, () => stack.clients.map(() => uniqueId('cold')));
  for (const userId of [warmUser, ...rounds.flat()]) await shop.grant(userId, 'gold');
  await untilHits(warmUser);
  const end = await fault()();
  const seen: { warm: Set<string>; cold: Set<string> } = { warm: new Set(), cold: new Set() };
  const slowest: number[] = [];
  try {
    for (const coldUsers of rounds)
      for (const [index, client] of stack.clients.entries()) {
        const coldUser = coldUsers[index] ?? '';
        const [warm, cold] = await Promise.all([
          client.check(shop.apiKey, warmUser),
          client.check(shop.apiKey, coldUser),
        ]);
        seen.warm.add(nameOf(warm));
        seen.cold.add(nameOf(cold));
        slowest.push(warm.ms, cold.ms);
        for (const answer of [warm, cold]) {
          // Never 200 with fewer entitlements than the truth.
          if (answer.status === 200) expect(featuresOf(answer)).toEqual(['gold']);
          else expect(answer.headers.get('retry-after')).toBe('1');
        }
        await sleep(40);
      }
  } finally {
    await end();
  }
  for (const kind of ['warm', 'cold'] as const)
    for (const answer of seen[kind]) expect(`${kind}: ${answer}`).toMatch(exactly(kind, expected[kind]));
  expect(Math.max(...slowest)).toBeLessThan(seenWithin(1_000));
  await timeRecovery({ fault: what, recovered: 'its end; hits at both APIs' }, () => untilHits(warmUser));
});

// Naive: the cache's Redis became a replica; it still answers, but takes no more invalidations.
it('shows a change that could not be invalidated in the cache', async () => {
  const userId = uniqueId('changed');
  await shop.grant(userId, 'gold');
  await untilHits(userId);
  const end = await cacheReadOnly();
  try {
    await shop.grant(userId, 'silver');
    await timeRecovery(
      { fault: 'Redis read-only', recovered: 'bypassing it; a change shows at both APIs' },
      () => untilFeature(stack, { apiKey: shop.apiKey, userId, feature: 'silver' }),
    );
  } finally {
    await end();
  }
  await untilHits(userId);
});
