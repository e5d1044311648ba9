import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { waitFor } from '@billing/testing';
import { lostEvents, untilLikeStripe, untilSettled } from './support/checks.ts';
import { inQuick, timeRecovery, seenWithin } from './support/run-options.ts';
import { createSender } from './support/sender.ts';
import type { Sender } from './support/sender.ts';
import { openShop } from './support/shop.ts';
import type { Shop } from './support/shop.ts';
import { startStack } from './support/stack.ts';
import type { Stack } from './support/stack.ts';

const dir = mkdtempSync(join(tmpdir(), 'billing-faults-redis-'));
let stack: Stack;
let shop: Shop;
let sender: Sender;

beforeAll(async () => {
  // Microseconds for each key: loading takes seconds, in which Redis answers LOADING.
  const settings = ['--key-load-delay', '4000', '--loading-process-events-interval-bytes', '1024'];
  stack = await startStack({ queueRedis: { dir, isPersistent: true, settings } });
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
    { fault: 'queue Redis restarted with its data', healed: 'its loading; all events applied' },
    () => untilSettled(stack, { timeoutMs: 60_000, own: sender.events }),
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
