import { fileURLToPath } from 'node:url';
import { waitFor } from '@billing/testing';
import { countedByWorkers, differences, lostEvents, readLedger, untilLikeStripe } from './support/checks.ts';
import { isQuick, timeRecovery } from './support/run-options.ts';
import { createSender } from './support/load.ts';
import { openShop } from './support/shop.ts';
import type { Shop } from './support/shop.ts';
import { startStack } from './support/stack.ts';
import type { Stack } from './support/stack.ts';

let stack: Stack;
let shop: Shop;

/** Every five seconds in place of every night. */
const often = { RECONCILE_CRON: '*/5 * * * * *' };

beforeAll(async () => {
  stack = await startStack({ env: often });
  shop = await openShop(stack);
});
afterAll(() => stack.close());

type Report = { drift: { object_id: string }[]; subscriptions_updated: number };

/** All objects that the scheduled runs reported. */
async function reported(): Promise<Set<string>> {
  const { rows } = await stack.database.pool.query<{ id: string }>(
    `SELECT id FROM runs WHERE requested_by = 'schedule' AND status = 'done'`,
  );
  const runs = await Promise.all(rows.map(({ id }) => stack.anyApi.admin('GET', `/reconcile/${id}`)));
  return new Set(
    (runs as { result: Report }[]).flatMap(({ result }) => result.drift.map((one) => one.object_id)),
  );
}

async function expectRepaired(fault: string): Promise<void> {
  const subscribers = await shop.subscribeMany(3);
  expect((await differences(stack)).length).toBeGreaterThan(0);
  await timeRecovery({ fault, recovered: 'the reconciliation of RECONCILE_CRON; rows are Stripe’s' }, () =>
    waitFor(async () => (await differences(stack)).length === 0, {
      what: 'a scheduled run to repair',
      timeoutMs: 60_000,
      intervalMs: 200,
    }),
  );
  const ids = subscribers.map(({ subscriptionId }) => subscriptionId);
  await waitFor(async () => ids.every(await hasReported()), { what: 'the report', timeoutMs: 30_000 });
}

async function hasReported(): Promise<(id: string) => boolean> {
  const objects = await reported();
  return (id) => objects.has(id);
}

// Naive: the schedule is made when the worker starts, and is gone for good when Redis loses its data.
it('reconciles by the schedule alone, also after the queue Redis was emptied', async () => {
  await stack.control('/webhooks', { enabled: false });
  // Nor can the sweep help: the list of events does not answer.
  await stack.control('/faults', { mode: '500', methods: ['GET'], path: '/v1/events' });
  await expectRepaired('all webhooks lost, no sweep, no operator');
  expect(await countedByWorkers(stack, 'reconcile_drift_total')).toBeGreaterThan(0);
  await stack.direct.queue.flushall();
  await expectRepaired('queue Redis emptied, its schedules with it');
  await stack.control('/faults', { mode: 'none' });
  await stack.control('/webhooks', { enabled: true });
  await untilLikeStripe(stack, shop, { timeoutMs: 40_000 });
});

const preload = fileURLToPath(new URL('./support/hanging-driver.mjs', import.meta.url));
const minutesAgo = (minutes: number): number => Date.now() - minutes * 60_000;

// Naive: a process that lives and answers /healthz is taken for one that works.
// The watchdog waits for a minute without progress: too long for the quick suite.
if (!isQuick)
  it('a worker that gets nothing done ends itself, and the next one applies what waited', async () => {
    const [worker, other] = stack.workers;
    await Promise.all(stack.workers.map((one) => one.stop()));
    const sender = createSender(shop);
    // More than the eight that such a worker holds at once.
    const events = await Promise.all(Array.from({ length: 12 }, () => sender.send(stack.anyApi)));
    // As if they had waited for that long already.
    const keys = events.map(({ eventId }) => `bull:stripe-events:${eventId}`);
    for (const key of keys) await stack.direct.queue.hset(key, 'timestamp', minutesAgo(6));
    await worker.start({
      NODE_OPTIONS: `--import=${preload}`,
      WORKER_CONCURRENCY: '1',
      RECONCILE_CRON: '0 2 * * *',
    });
    await worker.untilReady();
    const known = (await readLedger(stack)).size;
    await waitFor(() => !worker.isRunning(), { what: 'the process to end itself', timeoutMs: 150_000 });
    expect(await worker.exited).toBe(1);
    expect(worker.output()).toContain('watchdog_no_progress');
    expect((await readLedger(stack)).size).toBe(known);
    await worker.start();
    await timeRecovery({ fault: 'worker stuck, ended by its watchdog', recovered: 'its supervisor' }, () =>
      waitFor(
        async () => {
          const ledger = await readLedger(stack);
          return events.every(({ eventId }) => ledger.get(eventId)?.status === 'applied');
        },
        { what: 'the events to be applied', timeoutMs: 60_000 },
      ),
    );
    await other.start();
    await untilLikeStripe(stack, shop, { timeoutMs: 40_000, own: sender.events });
    expect(await lostEvents(stack, sender.events)).toEqual([]);
  }, 300_000);
