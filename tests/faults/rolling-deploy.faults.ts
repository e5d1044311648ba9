import { Agent, request } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { createApiClient } from './support/api-client.ts';
import { lostEvents, untilLikeStripe } from './support/checks.ts';
import { inQuick, noteRecovery } from './support/run-options.ts';
import { createSender } from './support/sender.ts';
import { openShop } from './support/shop.ts';
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

type Result = { status: number } | { failure: string };

/** One read on a kept-alive connection; no retry, so that a cut answer shows. */
function readOnce(agent: Agent, url: string): Promise<Result> {
  return new Promise((resolve) => {
    const call = request(
      `${url}/api/v1/entitlements?user_id=reader`,
      { agent, headers: { authorization: `Bearer ${shop.apiKey}` } },
      (response) => {
        response.resume();
        response.on('end', () => resolve({ status: response.statusCode ?? 0 }));
        response.on('error', (error) => resolve({ failure: `while answering: ${error.message}` }));
      },
    );
    call.on('error', (error) => resolve({ failure: 'code' in error ? String(error.code) : error.message }));
    call.end();
  });
}

/** Reads without a pause at both APIs; a connection that nobody accepts is the load balancer's business. */
async function readUntil(
  isOver: () => boolean,
): Promise<{ statuses: Map<number, number>; failures: string[] }> {
  const statuses = new Map<number, number>();
  const failures: string[] = [];
  async function reader(url: string): Promise<void> {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    while (!isOver()) {
      const result = await readOnce(agent, url);
      if ('status' in result) statuses.set(result.status, (statuses.get(result.status) ?? 0) + 1);
      else if (result.failure === 'ECONNREFUSED') await sleep(20);
      else failures.push(result.failure);
      await sleep(2);
    }
    agent.destroy();
  }
  await Promise.all(stack.apis.flatMap(({ url }) => [reader(url), reader(url)]));
  return { statuses, failures };
}

// Naive: `process.exit` on SIGTERM cuts what was accepted, and jobs under way stay locked.
it('cuts no accepted request and loses no event while processes are replaced every 5 s', async () => {
  let isOver = false;
  const sender = createSender(shop);
  const balanced = createApiClient(stack.balancer.url);
  const sending = (async () => {
    const statuses: number[] = [];
    while (!isOver) {
      // Stripe sends again what got no answer.
      const sent = await sender.send(balanced).catch(() => null);
      if (sent !== null) statuses.push(sent.status);
      await sleep(25);
    }
    return statuses;
  })();
  const reading = readUntil(() => isOver);
  const exits: { name: string; code: number; ms: number }[] = [];
  for (let turn = 0; turn < inQuick(4, 12); turn += 1) {
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
    await sleep(inQuick(1_000, 3_000));
  }
  isOver = true;
  const [statuses, reads] = await Promise.all([sending, reading]);
  expect(exits.filter(({ code }) => code !== 0)).toEqual([]);
  const slowest = Math.max(...exits.map(({ ms }) => ms));
  expect(slowest).toBeLessThan(25_000);
  noteRecovery({ fault: 'SIGTERM under load', healed: 'the slowest exit', ms: slowest });
  expect(reads.failures).toEqual([]);
  expect([...reads.statuses.keys()]).toEqual([200]);
  expect(statuses.filter((status) => status !== 200)).toEqual([]);
  expect(await lostEvents(stack, sender.events)).toEqual([]);
  await untilLikeStripe(stack, shop, { timeoutMs: 40_000, own: sender.events });
});
