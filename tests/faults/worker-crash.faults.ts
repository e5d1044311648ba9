import { stripeEvent, subscriptionObject, waitFor } from '@billing/testing';
import { featuresOf } from './support/api-client.ts';
import { jobCount, lostEvents, readLedger, untilFeature, untilLikeStripe } from './support/checks.ts';
import { inQuick, timeRecovery } from './support/run-options.ts';
import { createSender } from './support/load.ts';
import type { Sender } from './support/load.ts';
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

async function expectAllKept(): Promise<void> {
  expect(await lostEvents(stack, sender.events)).toEqual([]);
  await untilLikeStripe(stack, shop, { timeoutMs: 60_000, own: sender.events });
}

const activeJobs = (): Promise<string[]> => stack.direct.queue.lrange('bull:stripe-events:active', 0, -1);

/** Whether a worker runs the job, after so many others died in it: a dead one's job stays `active` too. */
async function runsAfter(eventId: string, crashes: number): Promise<boolean> {
  const key = `bull:stripe-events:${eventId}`;
  const [stalls, lock, active] = await Promise.all([
    stack.direct.queue.hget(key, 'stc'),
    stack.direct.queue.exists(`${key}:lock`),
    activeJobs(),
  ]);
  return Number(stalls ?? 0) >= crashes && lock === 1 && active.includes(eventId);
}

/** The locks of dead workers run out by themselves after 10 s; the quick suite does not wait for that. */
async function expireLocks(): Promise<void> {
  for (const id of await activeJobs()) await stack.direct.queue.del(`bull:stripe-events:${id}:lock`);
}

// Naive: with BullMQ's `maxStalledCount` of 1 the second crash fails the job for good, whatever `attempts` is.
it('applies an event whose worker was killed again and again in it', async () => {
  const crashes = inQuick(2, 3);
  await stack.workers[1].stop();
  await stack.setMode('database', 'freeze', ['worker']);
  const { eventId } = await sender.send(stack.anyApi);
  for (let crash = 0; crash < crashes; crash += 1) {
    await waitFor(() => runsAfter(eventId, crash), {
      what: `the job to run, crash ${crash}`,
      timeoutMs: 40_000,
    });
    await stack.workers[0].kill('SIGKILL');
    expect(await jobCount(stack)).toBeGreaterThan(0);
    if (inQuick(true, false)) await expireLocks();
    await stack.workers[0].start();
  }
  await stack.setMode('database', 'pass', ['worker']);
  await timeRecovery(
    { fault: `worker killed ${crashes} times in one job`, recovered: 'a restarted worker; event applied' },
    () =>
      waitFor(async () => (await readLedger(stack)).get(eventId)?.status === 'applied', {
        what: 'the event to be applied',
        timeoutMs: 60_000,
      }),
  );
  await stack.startProcesses();
  await expectAllKept();
});

// Naive: the resumed worker finishes what its successor has done already, and the change counts twice.
it('applies each event once when a worker is stopped past its lock and resumed', async () => {
  await stack.workers[1].stop();
  await stack.setDelay('database', 400, ['worker']);
  const events = await Promise.all(Array.from({ length: 10 }, () => sender.send(stack.anyApi)));
  await waitFor(async () => (await activeJobs()).length > 0, { what: 'jobs to run' });
  stack.workers[0].pause();
  const active = await activeJobs();
  await stack.setDelay('database', 0, ['worker']);
  await stack.workers[1].start();
  if (inQuick(true, false)) await expireLocks();
  await waitFor(
    async () => {
      const ledger = await readLedger(stack);
      return events.every(({ eventId }) => ledger.has(eventId));
    },
    { what: 'the other worker to take over', timeoutMs: 60_000 },
  );
  expect(active.length).toBeGreaterThan(0);
  stack.workers[0].resume();
  await stack.workers[0].untilReady();
  await expectAllKept();
  // One change of the user, one write of the subscription.
  const { rows } = await stack.database.pool.query<{ version: string; row_version: string }>(
    `SELECT DISTINCT u.version, s.fence AS row_version FROM users u JOIN subscriptions s ON s.user_ref = u.id
     WHERE u.user_id LIKE 'sender_%'`,
  );
  expect(rows).toEqual([{ version: '1', row_version: '1' }]);
});

async function pendingOf(userId: string): Promise<number> {
  const { rows } = await stack.database.pool.query('SELECT 1 FROM cache_invalidations WHERE user_id = $1', [
    userId,
  ]);
  return rows.length;
}

// Naive: commit, then DEL; a worker that dies in between leaves the old answer for the rest of its TTL (300 s).
it('answers rightly soon after a worker died between commit and invalidation', async () => {
  const userId = uniqueId('pending');
  // Known to have something: the answer would stay for 300 s, not for the short time of unknown users.
  await shop.grant(userId, 'silver');
  for (const client of stack.clients)
    for (let read = 0; read < 2; read += 1)
      expect(featuresOf(await client.check(shop.apiKey, userId))).toEqual(['silver']);
  // What was told of the grant is deleted a little later, for many changes at once.
  await waitFor(async () => (await pendingOf(userId)) === 0, { what: 'the grant to be told', intervalMs: 5 });
  await stack.setMode('cache', 'freeze', ['worker']);
  const event = stripeEvent({
    type: 'customer.subscription.created',
    object: subscriptionObject({
      id: uniqueId('sub'),
      customer: uniqueId('cus'),
      metadata: { user_id: userId, project_id: shop.projectId },
      items: [{ priceId: shop.stripePriceId, end: Math.floor(Date.now() / 1000) + 86_400 }],
    }),
  });
  const { eventId } = await sender.send(stack.anyApi, event);
  await waitFor(async () => (await readLedger(stack)).has(eventId), { what: 'the commit', intervalMs: 2 });
  await Promise.all(stack.workers.map((worker) => worker.kill('SIGKILL')));
  expect(await pendingOf(userId)).toBe(1);
  await timeRecovery(
    {
      fault: 'worker killed between commit and invalidation',
      recovered: 'the outbox loop of any API process; reads right',
    },
    () => untilFeature(stack, { apiKey: shop.apiKey, userId, feature: 'pro' }),
  );
  await stack.setMode('cache', 'pass', ['worker']);
  await stack.startProcesses();
  await expectAllKept();
});
