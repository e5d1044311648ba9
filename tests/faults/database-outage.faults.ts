import { setTimeout as sleep } from 'node:timers/promises';
import { Client } from 'pg';
import { waitFor } from '@billing/testing';
import { lostEvents, untilLikeStripe, untilProcessed } from './support/checks.ts';
import { endSessions } from './support/dependencies.ts';
import { createSender, repeat } from './support/load.ts';
import type { Sender } from './support/load.ts';
import { inQuick, timeRecovery, seenWithin } from './support/run-options.ts';
import { openShop, uniqueId } from './support/shop.ts';
import type { Shop } from './support/shop.ts';
import { startStack } from './support/stack.ts';
import type { Stack } from './support/stack.ts';

let stack: Stack;
let shop: Shop;
let sender: Sender;

beforeAll(async () => {
  stack = await startStack();
  shop = await openShop(stack);
  sender = createSender(shop);
});
afterAll(() => stack.close());

type Seen = { webhooks: Map<number, number>; reads: Map<number, number>; slowestMs: number };

function count(of: Map<number, number>, status: number): void {
  of.set(status, (of.get(status) ?? 0) + 1);
}

/** Events and cold reads at both APIs for as long as `fault` runs. */
async function underLoad(fault: () => Promise<unknown>): Promise<Seen> {
  const seen: Seen = { webhooks: new Map(), reads: new Map(), slowestMs: 0 };
  const loads = stack.clients.map((client) =>
    repeat(async () => {
      const [sent, read] = await Promise.all([
        sender.send(client),
        client.check(shop.apiKey, uniqueId('cold')),
      ]);
      count(seen.webhooks, sent.status);
      count(seen.reads, read.status);
      seen.slowestMs = Math.max(seen.slowestMs, sent.ms, read.ms);
      await sleep(40);
    }),
  );
  try {
    await fault();
  } finally {
    await Promise.all(loads.map((load) => load.stop()));
  }
  return seen;
}

async function expectAllApplied(what: string): Promise<void> {
  await timeRecovery({ fault: what, recovered: 'its end; every accepted event applied' }, () =>
    untilProcessed(stack, { timeoutMs: 30_000, own: sender.events }),
  );
  expect(await lostEvents(stack, sender.events)).toEqual([]);
  await untilLikeStripe(stack, shop, { timeoutMs: 30_000, own: sender.events });
}

type Row = [what: string, fault: () => Promise<unknown>];

/** What the quick suite leaves out ends as its neighbours do, or hangs as the frozen one does. */
const onlyWhole = new Set(['Postgres restarted', 'Postgres half-open']);

const table: Row[] = [
  [
    'Postgres sessions ended',
    async () => {
      for (let round = 0; round < 5; round += 1) {
        await stack.database.asAdmin(endSessions);
        await sleep(inQuick(300, 1_000));
      }
    },
  ],
  [
    'Postgres read-only',
    async () => {
      await stack.database.asAdmin(
        'ALTER DATABASE billing SET default_transaction_read_only = on',
        endSessions,
      );
      await shop.subscribeMany(2);
      await sleep(inQuick(3_000, 15_000));
      await stack.database.asAdmin('ALTER DATABASE billing RESET default_transaction_read_only', endSessions);
    },
  ],
  [
    'Postgres crashed and started',
    async () => {
      await stack.database.stop('immediate');
      await sleep(inQuick(2_000, 10_000));
      await stack.database.start();
    },
  ],
  [
    'Postgres restarted',
    async () => {
      await stack.database.stop('fast');
      await stack.database.start();
    },
  ],
  [
    'Postgres frozen',
    async () => {
      await stack.setMode('database', 'freeze');
      await sleep(inQuick(4_000, 20_000));
      await stack.setMode('database', 'pass');
    },
  ],
  [
    'Postgres half-open',
    async () => {
      await stack.setMode('database', 'half_open');
      await sleep(inQuick(4_000, 20_000));
      await stack.setMode('database', 'pass');
    },
  ],
  [
    'Postgres cuts replies',
    async () => {
      await stack.setMode('database', 'cut_replies');
      await sleep(inQuick(3_000, 10_000));
      await stack.setMode('database', 'pass');
    },
  ],
];

// Naive: a failed write ends the job after its attempts, or the API answers 500 and an empty list.
it.each(
  inQuick(
    table.filter(([what]) => !onlyWhole.has(what)),
    table,
  ),
)(
  '%s under load: events are accepted, reads are right or 503, all is applied afterwards',
  async (what, fault) => {
    const { webhooks, reads, slowestMs } = await underLoad(fault);
    expect([...webhooks.keys()]).toEqual([200]);
    expect([...reads.keys()].filter((status) => status !== 200 && status !== 503)).toEqual([]);
    expect(slowestMs).toBeLessThan(seenWithin(1_000));
    await expectAllApplied(what);
  },
);

// Naive: `pg` waits for a free connection for ever, so a request that found none hangs.
it('answers at once when the pool is full, whatever is asked', async () => {
  const client = new Client({ connectionString: stack.database.url });
  await client.connect();
  await client.query('BEGIN; LOCK TABLE users, prices IN ACCESS EXCLUSIVE MODE');
  const cold = Promise.all(
    Array.from({ length: 60 }, () => stack.clients[0].check(shop.apiKey, uniqueId('cold'))),
  );
  const checkouts = Promise.all(
    Array.from({ length: 20 }, () => stack.clients[0].checkout(shop.apiKey, shop.order())),
  );
  const [reads, sales] = await Promise.all([cold, checkouts]);
  expect(new Set(reads.map(({ status }) => status))).toEqual(new Set([503]));
  expect(Math.max(...reads.map(({ ms }) => ms))).toBeLessThan(seenWithin(1_000));
  expect(new Set(sales.map(({ status }) => status))).toEqual(new Set([503]));
  expect(Math.max(...sales.map(({ ms }) => ms))).toBeLessThan(seenWithin(8_000));
  await client.end();
  await timeRecovery({ fault: 'Postgres pool full', recovered: 'its end; cold reads answered' }, () =>
    waitFor(async () => (await stack.clients[0].check(shop.apiKey, uniqueId('cold'))).status === 200, {
      what: 'a cold read',
    }),
  );
});
