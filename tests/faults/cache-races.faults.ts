import { setTimeout as sleep } from 'node:timers/promises';
import { bodyOf, createApiClient, featuresOf } from './support/api-client.ts';
import type { Answer, ApiClient } from './support/api-client.ts';
import { inQuick } from './support/run-options.ts';
import { openShop, uniqueId } from './support/shop.ts';
import type { Shop } from './support/shop.ts';
import { startStack } from './support/stack.ts';
import type { Stack } from './support/stack.ts';

let stack: Stack;
let shop: Shop;
/** An API process past the slow proxies of the two that read. */
let writer: ApiClient;

beforeAll(async () => {
  stack = await startStack();
  shop = await openShop(stack);
  const third = await stack.addApi('worker');
  writer = createApiClient(third.url);
});
afterAll(() => stack.close());

/** Asks again where the answer would have come too late: that is no stale one. */
async function answerOf(client: ApiClient, userId: string): Promise<Answer> {
  for (;;) {
    const answer = await client.check(shop.apiKey, userId);
    if (answer.status !== 503) return answer;
    await sleep(20);
  }
}

type Race = { userId: string; stale: string[] };

/** How late Postgres's answers are: a commit in between makes the answer old before it is there. */
const lateMs = 50;

/** Reads whose answers come late from Postgres, against one write; what is read after the write must show it. */
async function race(
  userId: string,
  { write, isRight }: { write: () => Promise<unknown>; isRight: (features: string[]) => boolean },
): Promise<Race> {
  const readAll = () => Promise.all(stack.clients.map((client) => answerOf(client, userId)));
  await stack.direct.cache.del(`ent:u:${shop.projectId.length}:${shop.projectId}:${userId}`);
  const slow = readAll();
  // Both ways are slow: half of the writes fall between Postgres's answer and its arrival.
  await sleep(Math.random() * 2 * lateMs);
  await write();
  const after = [...(await readAll())];
  await slow;
  after.push(...(await readAll()));
  const versions = after.map((answer) => bodyOf(answer).version);
  const stale = after
    .filter((answer) => answer.status !== 200 || !isRight(featuresOf(answer)))
    .map((answer) => `${answer.status} ${JSON.stringify(answer.body)}`);
  if (versions.some((version, index) => index >= 2 && version < (versions[index - 2] ?? 0)))
    stale.push(`went back: ${versions.join(', ')}`);
  return { userId, stale };
}

async function manyRaces(count: number, one: () => Promise<Race[]>): Promise<Race[]> {
  const all: Race[] = [];
  while (all.length < count) all.push(...(await Promise.all(Array.from({ length: 6 }, one))).flat());
  return all;
}

// Naive (`GET`, miss, read, `SETEX` against commit, `DEL`): a third of the races leave a stale entry.
it('serves nothing stale after a grant or a revocation, however slow a fill is', async () => {
  await stack.setDelay('database', lateMs, ['api']);
  const races = await manyRaces(inQuick(48, 300), async () => {
    const userId = uniqueId('racer');
    let grantId = '';
    const granted = await race(userId, {
      write: async () => (grantId = await shop.grant(userId, 'gold', writer)),
      isRight: (features) => features.includes('gold'),
    });
    const revoked = await race(userId, {
      write: () => shop.revoke(grantId, writer),
      isRight: (features) => !features.includes('gold'),
    });
    return [granted, revoked];
  });
  await stack.setDelay('database', 0, ['api']);
  expect(races.filter(({ stale }) => stale.length > 0)).toEqual([]);
});

async function userReads(client: ApiClient): Promise<number> {
  const count = /^database_query_duration_seconds_count\{operation="with"[^}]*\} (\d+)/m.exec(
    await client.metrics(),
  );
  return Number(count?.[1] ?? 0);
}

// Naive: each miss asks Postgres, and a popular key that expires brings it down.
it('asks Postgres once per process for 500 readers of one cold key', async () => {
  const userId = uniqueId('popular');
  await shop.grant(userId, 'gold', writer);
  await Promise.all(stack.clients.map((client) => client.check(shop.apiKey, uniqueId('warm-up'))));
  const before = await Promise.all(stack.clients.map(userReads));
  await stack.setDelay('database', 100, ['api']);
  const answers = await Promise.all(
    stack.clients.flatMap((client) => Array.from({ length: 250 }, () => answerOf(client, userId))),
  );
  await stack.setDelay('database', 0, ['api']);
  expect(answers.filter(({ status }) => status !== 200)).toEqual([]);
  expect(answers.every((answer) => featuresOf(answer).includes('gold'))).toBe(true);
  const after = await Promise.all(stack.clients.map(userReads));
  const asked = after.map((count, index) => count - (before[index] ?? 0));
  // Who came late finds what the other process has filled in.
  expect(Math.max(...asked)).toBe(1);
});
