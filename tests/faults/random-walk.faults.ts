import { setTimeout as sleep } from 'node:timers/promises';
import type { DependencyName, Side } from './support/proxies.ts';
import { featuresOf } from './support/api-client.ts';
import { lostEvents, untilLikeStripe } from './support/checks.ts';
import { repeat } from './support/load.ts';
import { seed, timeRecovery, seenWithin } from './support/run-options.ts';
import { openShop, uniqueId } from './support/shop.ts';
import type { Shop, Subscriber } from './support/shop.ts';
import { startStack } from './support/stack.ts';
import type { Stack } from './support/stack.ts';

let stack: Stack;
let shop: Shop;

beforeAll(async () => {
  stack = await startStack();
  shop = await openShop(stack);
});
afterAll(() => stack.close());

/** Mulberry32: small, and the same walk for the same seed. */
function randomFrom(start: number): () => number {
  let state = start >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

type Step = { name: string; run: (holdMs: number) => Promise<unknown> };

const emptied = (name: 'queue' | 'cache'): Step => ({
  name: `empty the ${name}`,
  run: () => stack.direct[name].flushall(),
});

/** Each step breaks one thing for a while and repairs it. */
function stepsOf(pick: <T>(of: readonly [T, ...T[]]) => T): Step[] {
  const modes = ['refuse', 'freeze', 'half_open', 'cut_replies'] as const;
  const proxied = (name: DependencyName): Step => ({
    name,
    run: async (holdMs) => {
      const sides = pick<readonly Side[]>([['api'], ['worker'], ['api', 'worker']]);
      await stack.setMode(name, pick(modes), sides);
      await sleep(holdMs);
      await stack.setMode(name, 'pass', sides);
    },
  });
  const killed = (side: 'apis' | 'workers'): Step => ({
    name: `kill one of the ${side}`,
    run: async (holdMs) => {
      const process = pick(stack[side]);
      await process.kill('SIGKILL');
      await sleep(holdMs);
      await process.start();
    },
  });
  const paused: Step = {
    name: 'stop a worker for a while',
    run: async (holdMs) => {
      const process = pick(stack.workers);
      process.pause();
      await sleep(holdMs * 2);
      process.resume();
    },
  };
  const slowed: Step = {
    name: 'slow down a dependency',
    run: async (holdMs) => {
      const name = pick<DependencyName>(['database', 'queue', 'cache', 'stripe']);
      await stack.setDelay(name, 120);
      await sleep(holdMs);
      await stack.setDelay(name, 0);
    },
  };
  const dropped: Step = {
    name: 'lose half of the deliveries',
    run: async (holdMs) => {
      await stack.control('/webhooks', { drop_ratio: 0.5 });
      await sleep(holdMs);
      await stack.control('/webhooks', { drop_ratio: 0 });
    },
  };
  return [
    proxied('database'),
    proxied('queue'),
    proxied('cache'),
    proxied('stripe'),
    killed('apis'),
    killed('workers'),
    paused,
    emptied('queue'),
    emptied('cache'),
    slowed,
    dropped,
  ];
}

it(`ends in Stripe's state after a random walk over faults (FAULTS_SEED=${seed})`, async () => {
  const random = randomFrom(seed);
  const pick = <T>(of: readonly [T, ...T[]]): T => of[Math.floor(random() * of.length)] ?? of[0];
  const [first, ...others] = stepsOf(pick);
  if (first === undefined) throw new Error('no steps');
  const live: Subscriber[] = [];
  const living = repeat(async () => {
    live.push(await shop.subscribe());
    const leaver = Math.random() < 0.3 ? live.shift() : undefined;
    if (leaver !== undefined) await shop.cancel(leaver);
    await sleep(250);
  });
  // What is granted for good is never missing from a 200, whatever is broken.
  const holder = uniqueId('holder');
  await shop.grant(holder, 'gold');
  const denials: string[] = [];
  let slowestMs = 0;
  const reading = repeat(async () => {
    for (const client of stack.clients) {
      const answer = await client.check(shop.apiKey, holder).catch(() => null);
      if (answer === null) continue;
      slowestMs = Math.max(slowestMs, answer.ms);
      if (answer.status === 200 && !featuresOf(answer).includes('gold'))
        denials.push(JSON.stringify(answer.body));
      if (answer.status !== 200 && answer.status !== 503) denials.push(String(answer.status));
    }
    await sleep(50);
  });
  const endsAt = performance.now() + 180_000;
  const walked: string[] = [];
  while (performance.now() < endsAt) {
    const step = pick([first, ...others]);
    walked.push(step.name);
    await step.run(500 + random() * 5_000);
    await sleep(random() * 500);
  }
  await Promise.all([living.stop(), reading.stop()]);
  await stack.startProcesses();
  process.stderr.write(`walked: ${walked.join(', ')}\n`);
  await timeRecovery({ fault: 'random walk over faults', recovered: 'its end; state is Stripe’s' }, () =>
    untilLikeStripe(stack, shop, { timeoutMs: 90_000 }),
  );
  expect(denials).toEqual([]);
  expect(slowestMs).toBeLessThan(seenWithin(1_000));
  expect(await lostEvents(stack)).toEqual([]);
}, 420_000);
