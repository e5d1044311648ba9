import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { waitFor } from '@billing/testing';
import { cacheOf, featuresOf } from './support/api-client.ts';
import { lostEvents, untilLikeStripe, untilProcessed } from './support/checks.ts';
import { inQuick, timeRecovery, seenWithin } from './support/run-options.ts';
import { createSender } from './support/load.ts';
import type { Sender } from './support/load.ts';
import { openShop, uniqueId } from './support/shop.ts';
import type { Shop } from './support/shop.ts';
import { startStack } from './support/stack.ts';
import type { Stack } from './support/stack.ts';

const dir = mkdtempSync(join(tmpdir(), 'billing-faults-redis-'));
const dirOf = (name: string): string => join(dir, name);
let stack: Stack;
let shop: Shop;
let sender: Sender;

beforeAll(async () => {
  // Microseconds for each command of the append-only file: loading takes seconds, in which Redis answers LOADING.
  const settings = [
    '--key-load-delay',
    inQuick('2000', '700'),
    '--loading-process-events-interval-bytes',
    '1024',
  ];
  stack = await startStack({
    queueRedis: { dir: dirOf('queue'), isPersistent: true, settings },
    cacheRedis: { dir: dirOf('cache') },
  });
  shop = await openShop(stack);
  sender = createSender(shop);
});
afterAll(async () => {
  await stack.close();
  rmSync(dir, { recursive: true, force: true });
});

// Naive: LOADING is taken for an answer, or the jobs that were under way stay locked for ever.
it('keeps every event when the queue Redis with an append-only file is restarted and loads for seconds', async () => {
  await Promise.all(stack.workers.map((worker) => worker.stop()));
  for (let round = 0; round < inQuick(10, 30); round += 1)
    await Promise.all(Array.from({ length: 10 }, () => sender.send(stack.anyApi)));
  await stack.queueRedis.stop();
  const loaded = stack.queueRedis.start();
  const seen = new Map<number, number>();
  const send = async (): Promise<number> => {
    const { status, ms, retryAfter } = await sender.send(stack.clients[0]);
    if (status === 503) expect(retryAfter).toBe('1');
    expect(ms).toBeLessThan(seenWithin(5_000));
    seen.set(status, (seen.get(status) ?? 0) + 1);
    return status;
  };
  await waitFor(async () => (await send()) === 200, {
    what: 'an accepted event',
    timeoutMs: 60_000,
    intervalMs: 100,
  });
  await loaded;
  expect(seen.get(503)).toBeGreaterThan(0);
  expect(new Set(seen.keys())).toEqual(new Set([200, 503]));
  await stack.startProcesses();
  await timeRecovery(
    { fault: 'queue Redis restarted with its data', recovered: 'its loading; all events applied' },
    () => untilProcessed(stack, { timeoutMs: 60_000, own: sender.events }),
  );
  expect(await lostEvents(stack, sender.events)).toEqual([]);
});

it('works through a restart under load', async () => {
  await shop.subscribeMany(3);
  const sending = Promise.all(Array.from({ length: 40 }, () => sender.send(stack.anyApi).catch(() => null)));
  await stack.queueRedis.stop();
  await stack.queueRedis.start();
  await sending;
  await untilLikeStripe(stack, shop, { timeoutMs: 40_000, own: sender.events });
  expect(await lostEvents(stack, sender.events)).toEqual([]);
});

/** Whether both APIs answer a user's check from the cache. */
async function isHit(userId: string): Promise<boolean> {
  const answers = await Promise.all(stack.clients.map((client) => client.check(shop.apiKey, userId)));
  return answers.every((answer) => cacheOf(answer) === 'hit');
}

// Naive: an answer from before the change is back, and stays for the rest of its TTL.
it('never serves what an older dump of the cache brings back', async () => {
  const [userId, other] = [uniqueId('rolled-back'), uniqueId('other')];
  const readAll = async (): Promise<string[]> => {
    const answers = await Promise.all(stack.clients.map((client) => client.check(shop.apiKey, userId)));
    return answers.map((answer) => featuresOf(answer).join());
  };
  for (const user of [userId, other]) await shop.grant(user, 'silver');
  expect(await readAll()).toEqual(['silver', 'silver']);
  await stack.direct.cache.save();
  await shop.grant(userId, 'gold');
  expect(await readAll()).toEqual(['gold,silver', 'gold,silver']);
  await stack.cacheRedis.kill();
  await stack.cacheRedis.start();
  // Meanwhile the user is not read: a process would remember what it answered past the cache.
  await timeRecovery(
    { fault: 'cache Redis back with an older dump', recovered: 'reads; hits at both APIs' },
    () => waitFor(() => isHit(other), { what: 'hits', timeoutMs: 15_000 }),
  );
  const seen = await readAll();
  await waitFor(
    async () => {
      seen.push(...(await readAll()));
      return isHit(userId);
    },
    { what: 'hits of the user', timeoutMs: 15_000 },
  );
  expect(new Set(seen)).toEqual(new Set(['gold,silver']));
});
