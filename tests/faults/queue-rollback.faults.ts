import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { waitFor } from '@billing/testing';
import { countedByWorkers, jobCount, lostEvents, readLedger, untilLikeStripe } from './support/checks.ts';
import { inQuick, timeRecovery } from './support/run-options.ts';
import { openShop } from './support/shop.ts';
import type { Shop } from './support/shop.ts';
import { startStack } from './support/stack.ts';
import type { Stack } from './support/stack.ts';

const dir = mkdtempSync(join(tmpdir(), 'billing-faults-rollback-'));
let stack: Stack;
let shop: Shop;

beforeAll(async () => {
  // The jobs that a worker runs outlive Redis: with one at a time, most jobs wait.
  stack = await startStack({ queueRedis: { dir }, env: { WORKER_CONCURRENCY: '1' } });
  shop = await openShop(stack);
});
afterAll(async () => {
  await stack.close();
  rmSync(dir, { recursive: true, force: true });
});

/** What the workers did: the row version grows with each write of an object, the version with each change of a user. */
async function effects(): Promise<string[]> {
  const { rows } = await stack.database.pool.query<{ effect: string }>(
    `SELECT id || ' written ' || fence AS effect FROM subscriptions
     UNION ALL SELECT id || ' written ' || fence FROM purchases
     UNION ALL SELECT user_id || ' changed ' || version FROM users
     UNION ALL SELECT event_id || ' tried ' || attempts || ': ' || status FROM stripe_events
     ORDER BY 1`,
  );
  return rows.map(({ effect }) => effect);
}

/** How many jobs were run, whatever their outcome. */
const jobsRun = (): Promise<number> => countedByWorkers(stack, 'webhook_events_processed_total');

/** Like Stripe, and no row is to be rechecked: nothing is written any more. */
async function untilAtRest(): Promise<void> {
  await untilLikeStripe(stack, shop, { timeoutMs: 60_000 });
  await waitFor(
    async () => {
      const { rowCount } = await stack.database.pool.query(
        `SELECT 1 FROM subscriptions WHERE settle_at IS NOT NULL
         UNION ALL SELECT 1 FROM purchases WHERE settle_at IS NOT NULL`,
      );
      return rowCount === 0;
    },
    { what: 'every recheck to be done', timeoutMs: 60_000, intervalMs: 100 },
  );
}

/** Eight jobs of each of the two workers: these outlive Redis. */
const inFlight = 16;

const untilQueued = (least: number): Promise<true> =>
  waitFor(async () => (await jobCount(stack)) >= least, { what: 'jobs in the queue', timeoutMs: 30_000 });

/** Kill -9: what is on disk is the dump that was written before. */
async function backToDump(): Promise<void> {
  await stack.queueRedis.kill();
  await stack.queueRedis.start();
  await waitFor(async () => (await stack.direct.queue.ping()) === 'PONG', { what: 'Redis' });
}

// Naive: a job id that Redis has forgotten is a new event, and one that no dump has never was.
it('loses nothing and does nothing twice when the queue Redis goes back to an older dump under living workers', async () => {
  const users = inQuick(4, 15);
  await stack.setMode('database', 'freeze', ['worker']);
  const early = await shop.subscribeMany(users);
  await untilQueued(users);
  // In the dump: jobs that are done by the time it is back.
  await stack.direct.queue.save();
  await stack.setMode('database', 'pass', ['worker']);
  await untilAtRest();
  const before = { effects: await effects(), jobsRun: await jobsRun() };
  await backToDump();
  await waitFor(async () => (await jobsRun()) >= before.jobsRun + users, {
    what: 'the jobs of the dump to run again',
    timeoutMs: 60_000,
  });
  await untilAtRest();
  expect(await effects()).toEqual(before.effects);

  // In no dump: jobs that are accepted and not done when Redis dies.
  await stack.setMode('database', 'freeze', ['worker']);
  const known = (await readLedger(stack)).size;
  await shop.subscribeMany(users);
  for (const one of early.slice(0, 2)) await shop.cancel(one);
  await untilQueued(inFlight + users);
  await backToDump();
  expect((await lostEvents(stack)).length).toBeGreaterThan(0);
  expect((await readLedger(stack)).size).toBe(known);
  await stack.setMode('database', 'pass', ['worker']);
  await timeRecovery(
    {
      fault: 'queue Redis back with an older dump',
      recovered: 'the ledger and the sweep; state is Stripe’s',
    },
    () => untilLikeStripe(stack, shop, { timeoutMs: 60_000 }),
  );
  expect(await lostEvents(stack)).toEqual([]);
});
