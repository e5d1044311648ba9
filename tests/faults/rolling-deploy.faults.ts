import { setTimeout as sleep } from 'node:timers/promises';
import { createApiClient } from './support/api-client.ts';
import { lostEvents, untilLikeStripe } from './support/checks.ts';
import { createSender, repeat } from './support/load.ts';
import { startProbingBalancer } from './support/probing-balancer.ts';
import { inQuick, noteRecovery } from './support/run-options.ts';
import { openShop } from './support/shop.ts';
import type { Shop } from './support/shop.ts';
import { startStack } from './support/stack.ts';
import type { Stack } from './support/stack.ts';

let stack: Stack;
let shop: Shop;

beforeAll(async () => {
  stack = await startStack({ env: { SHUTDOWN_DELAY_SECONDS: '5' } });
  shop = await openShop(stack);
});
afterAll(() => stack.close());

/** 60 reads a second through a balancer that only probes, without any retry: what they were answered, and what failed. */
function startReads(url: string) {
  const outcomes = new Map<string, number>();
  const count = (outcome: string): unknown => outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
  const headers = { authorization: `Bearer ${shop.apiKey}` };
  async function readOnce(): Promise<string> {
    try {
      const response = await fetch(`${url}/api/v1/entitlements?user_id=reader`, { headers });
      const text = await response.text();
      return response.status === 200 ? 'answered' : `${response.status} ${text.slice(0, 200)}`;
    } catch (error) {
      return String(error);
    }
  }
  const inFlight = new Set<Promise<unknown>>();
  const reading = repeat(async () => {
    const read = readOnce()
      .then(count)
      .finally(() => inFlight.delete(read));
    inFlight.add(read);
    await sleep(1_000 / 60);
  });
  const stop = async (): Promise<Record<string, number>> => {
    await reading.stop();
    await Promise.all(inFlight);
    return Object.fromEntries(outcomes);
  };
  return { stop };
}

// Naive: `process.exit` on SIGTERM cuts accepted requests, and jobs in flight stay locked. Without a delay the balancer
// sends requests to a process that no longer listens.
it('cuts no accepted request and loses no event while processes are replaced behind a balancer that only probes', async () => {
  const sender = createSender(shop);
  const balanced = createApiClient(stack.balancer.url);
  const statuses: number[] = [];
  const sending = repeat(async () => {
    // Stripe sends again what got no answer.
    const sent = await sender.send(balanced).catch(() => null);
    if (sent !== null) statuses.push(sent.status);
    await sleep(25);
  });
  const probing = await startProbingBalancer(stack.apis.map(({ url }) => url));
  const reads = startReads(probing.url);
  const exits: { name: string; code: number; ms: number }[] = [];
  for (let turn = 0; turn < inQuick(2, 12); turn += 1) {
    const victims = [stack.apis[turn % 2 === 0 ? 0 : 1], stack.workers[turn % 2 === 0 ? 0 : 1]];
    await Promise.all(
      victims.map(async (process) => {
        const startedAt = performance.now();
        const code = await process.stop();
        exits.push({ name: process.name, code, ms: Math.round(performance.now() - startedAt) });
        await process.start();
        await process.untilReady();
      }),
    );
    // Until the balancer has seen that it is back, and it has answered for a while.
    await sleep(inQuick(3_000, 5_000));
  }
  await sending.stop();
  const { answered, ...failed } = await reads.stop();
  await probing.close();
  expect(failed).toEqual({});
  expect(answered).toBeGreaterThan(500);
  expect(exits.filter(({ code }) => code !== 0)).toEqual([]);
  const slowest = Math.max(...exits.map(({ ms }) => ms));
  expect(slowest).toBeLessThan(25_000);
  noteRecovery({ fault: 'SIGTERM under load', recovered: 'the slowest exit', ms: slowest });
  expect(statuses.filter((status) => status !== 200)).toEqual([]);
  expect(await lostEvents(stack, sender.events)).toEqual([]);
  await untilLikeStripe(stack, shop, { timeoutMs: 40_000, own: sender.events });
}, 420_000);
