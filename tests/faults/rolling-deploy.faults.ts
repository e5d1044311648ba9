import { Agent, request } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { waitFor } from '@billing/testing';
import { createApiClient } from './support/api-client.ts';
import { lostEvents, untilLikeStripe } from './support/checks.ts';
import { createSender, repeat } from './support/load.ts';
import type { Repeated } from './support/load.ts';
import { inQuick, noteRecovery } from './support/run-options.ts';
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

type Result = { status: number; isLeaving: boolean } | { failure: string };

/** One read on a kept-alive connection; no retry, so that a cut answer shows. */
function readOnce(agent: Agent, url: string): Promise<Result> {
  return new Promise((resolve) => {
    const call = request(
      `${url}/api/v1/entitlements?user_id=reader`,
      { agent, headers: { authorization: `Bearer ${shop.apiKey}` } },
      (response) => {
        response.resume();
        const isLeaving = response.headers.connection === 'close';
        response.on('end', () => resolve({ status: response.statusCode ?? 0, isLeaving }));
        response.on('error', (error) => resolve({ failure: `while answering: ${error.message}` }));
      },
    );
    call.on('error', (error) => resolve({ failure: 'code' in error ? String(error.code) : error.message }));
    call.end();
  });
}

/** As a load balancer does: a process that announces its end gets no new connection before it is ready again. */
const untilBack = (url: string): Promise<unknown> =>
  waitFor(
    async () => {
      const ready = await fetch(`${url}/ready`, { signal: AbortSignal.timeout(1_000) });
      await ready.text();
      return ready.ok;
    },
    { what: `${url} to be back`, timeoutMs: 60_000, intervalMs: 50 },
  );

/** Reads without a pause at both APIs; a refused connection is no failure: a load balancer tries the next process. */
function startReaders() {
  const statuses = new Map<number, number>();
  const failures: string[] = [];
  function startReader(url: string): Repeated {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    return repeat(async () => {
      const result = await readOnce(agent, url);
      if ('failure' in result) {
        if (result.failure !== 'ECONNREFUSED') failures.push(result.failure);
        await sleep(20);
        return;
      }
      statuses.set(result.status, (statuses.get(result.status) ?? 0) + 1);
      await (result.isLeaving ? untilBack(url) : sleep(2));
    });
  }
  const readers = stack.apis.flatMap(({ url }) => [startReader(url), startReader(url)]);
  return { statuses, failures, stop: () => Promise.all(readers.map((reader) => reader.stop())) };
}

// Naive: `process.exit` on SIGTERM cuts accepted requests, and jobs in flight stay locked.
it('cuts no accepted request and loses no event while processes are replaced every 5 s', async () => {
  const sender = createSender(shop);
  const balanced = createApiClient(stack.balancer.url);
  const statuses: number[] = [];
  const sending = repeat(async () => {
    // Stripe sends again what got no answer.
    const sent = await sender.send(balanced).catch(() => null);
    if (sent !== null) statuses.push(sent.status);
    await sleep(25);
  });
  const reads = startReaders();
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
    await sleep(inQuick(1_000, 3_000));
  }
  await Promise.all([sending.stop(), reads.stop()]);
  expect(exits.filter(({ code }) => code !== 0)).toEqual([]);
  const slowest = Math.max(...exits.map(({ ms }) => ms));
  expect(slowest).toBeLessThan(25_000);
  noteRecovery({ fault: 'SIGTERM under load', recovered: 'the slowest exit', ms: slowest });
  expect(reads.failures).toEqual([]);
  // A new process may be too slow for a read's second at first: that is a 503, and no cut.
  const { 200: answered = 0, 503: late = 0, ...others } = Object.fromEntries(reads.statuses);
  expect(others).toEqual({});
  expect(late).toBeLessThan(answered / 100);
  expect(statuses.filter((status) => status !== 200)).toEqual([]);
  expect(await lostEvents(stack, sender.events)).toEqual([]);
  await untilLikeStripe(stack, shop, { timeoutMs: 40_000, own: sender.events });
}, 420_000);
