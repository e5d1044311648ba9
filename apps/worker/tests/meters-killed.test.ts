import { hourMs, minuteMs } from '@billing/domain';
import { buildApps, freePort, waitFor } from '@billing/testing';
import { startMeters } from './support/meters-world.test-support.ts';
import type { TestMeters } from './support/meters-world.test-support.ts';
import { spawnWorker } from './support/worker-process.test-support.ts';
import type { WorkerProcess } from './support/worker-process.test-support.ts';

let world: TestMeters;
const running: WorkerProcess[] = [];

beforeAll(async () => {
  [world] = await Promise.all([startMeters({ isStarted: false }), buildApps()]);
}, 120_000);
afterAll(async () => {
  await Promise.all(running.splice(0).map((one) => one.kill('SIGKILL')));
  await world.close();
});

async function start(): Promise<void> {
  running.push(await spawnWorker({ ...world.environment, WORKER_PORT: String(await freePort()) }));
}
const kill = async (): Promise<void> => void (await running.shift()?.kill('SIGKILL'));

const hours = 5;
/** What was used of a user from a moment until before another, by the events. */
async function usedBetween(userId: string, from: Date, to: Date): Promise<number> {
  const { _sum: sum } = await world.database.usageEvent.aggregate({
    where: { userId, happenedAt: { gte: from, lt: to } },
    _sum: { quantity: true },
  });
  return Number(sum.quantity ?? 0);
}

const isTold = async (): Promise<boolean> => {
  const [open, sending] = await Promise.all([
    world.database.usageMeterHour.count({
      where: { OR: [{ lookAt: { not: null } }, { dueAt: { lt: new Date() } }] },
    }),
    world.database.usageMeterReport.count({ where: { state: 'sending' } }),
  ]);
  return open + sending === 0;
};

/** Reports that Stripe has, and whose worker does not know it. */
async function waitForDoubt(): Promise<number> {
  let inDoubt = 0;
  const isThere = async (): Promise<boolean> => {
    const sending = await world.database.usageMeterReport.findMany({ where: { state: 'sending' } });
    const there = await Promise.all(
      sending.map(async ({ stripeCustomerId, stampedAt }) => {
        const minute = Math.floor(stampedAt.getTime() / minuteMs) * minuteMs;
        return (await world.countedAtStripe(stripeCustomerId ?? '', minute, minute + minuteMs)) !== 0;
      }),
    );
    inDoubt = there.filter(Boolean).length;
    return inDoubt > 0;
  };
  await waitFor(isThere, { what: 'a report in doubt', timeoutMs: 20_000 });
  return inDoubt;
}

/** As after the leases of those that are dead are over. */
const passLeases = () =>
  world.database.$transaction(async (tx) => {
    await tx.usageMeterReport.updateMany({ where: { state: 'sending' }, data: { lookAt: new Date(0) } });
    await tx.usageMeterHour.updateMany({ where: { lookAt: { not: null } }, data: { lookAt: new Date(0) } });
  });

it("Stripe's total of each period is ours, whenever workers are killed and answers are lost", async () => {
  const first = world.pastHour(hours + 1);
  // Whole minutes: what Stripe sums up.
  const bound = new Date(first + 2 * hourMs + 24 * minuteMs);
  const users = await Promise.all(Array.from({ length: 4 }, () => world.startUser()));
  await Promise.all(users.map((user) => world.subscribe(user, bound, 'ends')));
  const taken = new Map<string, { id: string; at: number; quantity: number }[]>();
  await Promise.all([start(), start()]);

  async function useSome(user: Awaited<ReturnType<TestMeters['startUser']>>, index: number): Promise<void> {
    const known = taken.get(user.userId) ?? [];
    const corrected = index % 4 === 3 ? known.shift() : undefined;
    const at = corrected?.at ?? first + Math.floor(Math.random() * hours * hourMs);
    const quantity = corrected === undefined ? 1 + (index % 7) : -corrected.quantity;
    const corrects = corrected === undefined ? {} : { corrects: corrected.id };
    const id = await world.record(user.userId, { quantity, timestamp: at, ...corrects });
    if (corrected === undefined) known.push({ id, at, quantity });
    taken.set(user.userId, known);
  }

  let inDoubt = 0;
  for (const [round, mode] of (['cut', 'hang', 'none', 'reset', 'hang'] as const).entries()) {
    const path = '/v1/billing/meter_events';
    await world.control(
      '/faults',
      mode === 'none' ? { mode } : { mode, executed: true, path, methods: ['POST'] },
    );
    for (let index = 0; index < 12; index += 1)
      await Promise.all(users.map((user, place) => useSome(user, round + index + place)));
    if (mode !== 'none') inDoubt += await waitForDoubt();
    await kill();
    await start();
    await passLeases();
  }
  expect(inDoubt).toBeGreaterThan(3);
  await Promise.all([kill(), kill()]);
  await world.control('/faults', { mode: 'none' });
  await passLeases();
  await start();
  await waitFor(isTold, { what: 'Stripe to be told of all', timeoutMs: 60_000 });

  const from = new Date(first);
  const to = new Date(first + hours * hourMs);
  for (const { userId, customer } of users) {
    const ours = [await usedBetween(userId, from, bound), await usedBetween(userId, bound, to)];
    const atStripe = [
      await world.countedAtStripe(customer, from.getTime(), bound.getTime()),
      await world.countedAtStripe(customer, bound.getTime(), to.getTime()),
    ];
    expect(atStripe).toEqual(ours);
  }
}, 180_000);
