import { setTimeout as sleep } from 'node:timers/promises';
import { stripeEvent, subscriptionObject, waitFor } from '@billing/testing';
import { z } from 'zod';
import type { Answer } from './support/api-client.ts';
import { endSessions } from './support/dependencies.ts';
import { inQuick } from './support/run-options.ts';
import { uniqueId } from './support/shop.ts';
import { startStack } from './support/stack.ts';
import type { Stack } from './support/stack.ts';
import { openUsageShop, shownBy } from './support/usage-shop.ts';
import type { UsageShop } from './support/usage-shop.ts';
import { usageProblems } from './support/usage-checks.ts';
import type { UsageClient } from './support/usage-client.ts';
import { followModel } from './support/usage-commands.ts';
import { nothingAcknowledged } from './support/usage-load.ts';

let stack: Stack;
let shop: UsageShop;

beforeAll(async () => {
  stack = await startStack();
  shop = await openUsageShop(stack);
});
afterAll(() => stack.close());

const recordedOf = z.object({ recorded: z.boolean() });

/** The whole scenarios are for machines that have nothing else to do; a busy one gets through in this time, too. */
const longMs = inQuick(180_000, 900_000);

/** Takes one; where the line is too long for a second, the same event again. */
async function take(client: UsageClient | undefined, userId: string): Promise<Answer> {
  const event = { user_id: userId, event_id: uniqueId('take') };
  for (;;) {
    const answer = await client?.use(event);
    if (answer !== undefined && answer.status !== 503) return answer;
  }
}

// Naive: the balance is read before the lock is held, or each process counts by itself.
it(
  '200 takers on 100 units over four processes: 100 are taken',
  async () => {
    for (let round = 0; round < inQuick(1, 100); round += 1) {
      const userId = await shop.userWith(100);
      const processes = shop.clients;
      const answers = await Promise.all(
        Array.from({ length: 200 }, (_one, index) => take(processes[index % processes.length], userId)),
      );
      const recorded = answers.map(({ body }) => recordedOf.parse(body).recorded);
      expect(recorded.filter(Boolean)).toHaveLength(100);
      await shop.untilShown(userId, 100);
    }
    expect(await usageProblems(stack, nothingAcknowledged())).toEqual([]);
  },
  longMs,
);

// Naive: usage is answered from memory or Redis, and written later.
it(
  'processes are killed at random: nothing that was acknowledged is lost or doubled',
  async () => {
    await shop.underLoad('API and worker processes killed', async (seen) => {
      const [[api, otherApi], [worker, otherWorker]] = [stack.apis, stack.workers];
      const processes = [api, worker, otherApi, otherWorker];
      for (let round = 0; seen.taken.size < inQuick(300, 10_000) || round < inQuick(2, 20); round += 1) {
        await sleep(Math.random() * 400);
        const killed = processes[round % processes.length];
        await killed?.kill('SIGKILL');
        await killed?.start();
        await killed?.untilReady(60_000);
      }
    });
  },
  longMs,
);

type Row = [what: string, fault: () => Promise<unknown>];

/** Left out of the quick suite. */
const further: Row[] = [
  [
    'Postgres read-only',
    async () => {
      await stack.database.asAdmin(
        'ALTER DATABASE billing SET default_transaction_read_only = on',
        endSessions,
      );
      await sleep(inQuick(1_000, 10_000));
      await stack.database.asAdmin('ALTER DATABASE billing RESET default_transaction_read_only', endSessions);
    },
  ],
  [
    'Postgres cuts replies',
    async () => {
      await stack.setMode('database', 'cut_replies');
      await sleep(inQuick(1_000, 10_000));
      await stack.setMode('database', 'pass');
    },
  ],
];

const table: Row[] = [
  [
    'Redis emptied',
    async () => {
      for (let round = 0; round < 4; round += 1) {
        await Promise.all([stack.direct.cache.flushall(), stack.direct.queue.flushall()]);
        await sleep(inQuick(150, 1_000));
      }
    },
  ],
  [
    'Redis away',
    async () => {
      await stack.setMode('cache', 'refuse');
      await sleep(inQuick(700, 5_000));
      await stack.setMode('cache', 'freeze');
      await sleep(inQuick(700, 5_000));
      await stack.setMode('cache', 'pass');
    },
  ],
  [
    'Postgres crashed and started',
    async () => {
      await sleep(200);
      await stack.database.stop('immediate');
      await sleep(inQuick(500, 10_000));
      await stack.database.start();
    },
  ],
];

// Naive: as above; or an event in doubt is sent again under another id.
it.each([...table, ...inQuick([], further)])(
  '%s under load: usage is answered 200, 202 or 503, and what was answered stays',
  async (what, fault) => {
    const { statuses } = await shop.underLoad(what, async () => {
      await sleep(200);
      await fault();
      await sleep(200);
    });
    expect([...statuses.keys()].filter((status) => ![200, 202, 503].includes(Number(status)))).toEqual([]);
  },
);

// Naive: a process decides by what it remembers.
it(
  'two processes answer any commands as one model does',
  async () => {
    await followModel({
      offers: shop.offers,
      clients: shop.clients.slice(0, 2),
      restart: async (index) => {
        const api = stack.apis[index];
        await api?.kill('SIGKILL');
        await api?.start();
        await api?.untilReady(60_000);
      },
    });
    expect(await usageProblems(stack, nothingAcknowledged())).toEqual([]);
  },
  longMs,
);

// Naive: a batch fails as a whole, or is tried again until it passes.
it(
  "one user's poison: the others are taken as ever, and the user is, once it is mended",
  async () => {
    const poisoned = await shop.userWith(1_000);
    const others = await Promise.all(shop.clients.map(() => shop.userWith(1_000_000)));
    const event = { user_id: poisoned, event_id: uniqueId('take') };
    await shop.clients[0]?.use(event);
    const { pool } = stack.database;
    const { rows } = await pool.query<{ buckets: string }>(
      'SELECT buckets::text AS buckets FROM public.usage_states WHERE user_id = $1',
      [poisoned],
    );
    const setBuckets = (buckets = ''): Promise<unknown> =>
      pool.query('UPDATE public.usage_states SET buckets = $2::jsonb WHERE user_id = $1', [
        poisoned,
        buckets,
      ]);
    await setBuckets('{"no":"list"}');
    const turns = inQuick(20, 200);
    try {
      const statuses = await Promise.all(
        shop.clients.map(async (client, index) => {
          const seen = { poisoned: new Set<number>(), other: new Set<number>() };
          for (let turn = 0; turn < turns; turn += 1) {
            const bad = client.use({ ...event, event_id: uniqueId('take') });
            seen.other.add((await take(client, others[index] ?? '')).status);
            seen.poisoned.add((await bad).status);
          }
          return seen;
        }),
      );
      for (const seen of statuses) {
        expect([...seen.other]).toEqual([200]);
        expect([...seen.poisoned].filter((status) => status < 500)).toEqual([]);
      }
    } finally {
      await setBuckets(rows[0]?.buckets);
    }
    await take(shop.clients[1], poisoned);
    await Promise.all(others.map((userId) => shop.untilShown(userId, turns)));
    expect(await usageProblems(stack, nothingAcknowledged())).toEqual([]);
  },
  longMs,
);

type Taken = { start: string; quantity: string; first: Date; last: Date };

// Naive: the allowance is reset by a job or by the renewal's webhook.
it('a period ends under load: the old bucket is not burnt, the new one is whole at once', async () => {
  const userId = uniqueId('renewed');
  const end = Math.floor(Date.now() / 1000) + 3;
  await stack.clients[0].webhook(
    stripeEvent({
      type: 'customer.subscription.created',
      object: subscriptionObject({
        id: uniqueId('sub'),
        customer: uniqueId('cus'),
        metadata: { user_id: userId, project_id: shop.projectId },
        items: [{ priceId: shop.stripePriceId, start: end - 30 * 86_400, end }],
      }),
    }),
  );
  const [first] = shop.clients;
  await waitFor(async () => first !== undefined && (await shownBy(first, userId)).granted === 30, {
    what: 'the allowance',
    timeoutMs: 2_500,
    intervalMs: 20,
  });
  // Until both are empty; a busy machine takes its time.
  const givesUpAt = (end + 20) * 1000;
  const takers = shop.clients.map(async (client) => {
    for (let isEmpty = false; !isEmpty && Date.now() < givesUpAt;) {
      const answer = await client.use({ user_id: userId, event_id: uniqueId('take') });
      isEmpty =
        Date.now() > (end + 1) * 1000 && answer.status === 200 && !recordedOf.parse(answer.body).recorded;
      await sleep(10);
    }
  });
  await Promise.all(takers);
  const { rows } = await stack.database.pool.query<Taken>(
    `SELECT p->>'start' AS start, sum((p->>'quantity')::bigint) AS quantity, min(recorded_at) AS first, max(recorded_at) AS last
    FROM public.usage_events, jsonb_array_elements(parts) p WHERE user_id = $1 GROUP BY 1 ORDER BY 1`,
    [userId],
  );
  expect(rows.map(({ start, quantity }) => [Number(start), Number(quantity)])).toEqual([
    [(end - 30 * 86_400) * 1000, 30],
    [end * 1000, 30],
  ]);
  expect(rows[0]?.last.getTime()).toBeLessThan(end * 1000);
  expect(rows[1]?.first.getTime()).toBeGreaterThanOrEqual(end * 1000);
  expect(await usageProblems(stack, nothingAcknowledged())).toEqual([]);
});
