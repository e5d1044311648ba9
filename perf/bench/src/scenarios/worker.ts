import { queueNames } from '@billing/domain';
import { waitFor } from '@billing/testing';
import { Queue } from 'bullmq';
import type { BenchEnvironment } from '../environment/set-up.ts';
import type { Running } from '../environment/start-process.ts';
import { fillQueue, subscriptionEventType } from '../load/subscription-events.ts';
import type { NextEvent } from '../load/subscription-events.ts';
import { cpuSeconds } from '../measure/cpu-time.ts';
import { takeTurns } from '../measure/take-turns.ts';
import type { Measured } from '../measure/take-turns.ts';
import { atLeast, ratioOf, toRows, withGoals } from '../report/row.ts';
import type { Scenario } from './scenario.ts';

const scenario = 'worker, backlog';
const ours = 'our worker';
const empty = 'BullMQ, empty handler';
const interactive = 'BullMQ, interactive transaction';

/**
 * How many events a turn has for each second asked for. The two fast ones have the same number, so that V8 has
 * optimised both alike when the clock starts.
 */
const perSecondOf: Record<string, number> = { [ours]: 4_000, [empty]: 4_000, [interactive]: 200 };

const openStates = ['waiting', 'active', 'delayed', 'prioritized'] as const;

async function isDrained(queue: Queue): Promise<boolean> {
  const counts = await queue.getJobCounts(...openStates);
  return Object.values(counts).every((count) => count === 0);
}

type Turn = { queue: Queue; count: number; start: () => Promise<Running>; nextEvent: NextEvent };

const untilDrained = (queue: Queue): Promise<unknown> =>
  waitFor(() => isDrained(queue), { timeoutMs: 120_000, intervalMs: 5, what: 'the queue to be empty' });

/** Warms the worker up with a smaller backlog, fills the paused queue, and times it from `resume` until it is empty. */
async function drain({ queue, count, start, nextEvent }: Turn): Promise<Measured> {
  const worker = await start();
  try {
    await fillQueue(queue, nextEvent, Math.ceil(count / 2));
    await untilDrained(queue);
    await queue.pause();
    await fillQueue(queue, nextEvent, count);
    const cpuBefore = cpuSeconds(worker.pid);
    const startedAt = performance.now();
    await queue.resume();
    await untilDrained(queue);
    const seconds = (performance.now() - startedAt) / 1000;
    const cpu = cpuSeconds(worker.pid) - cpuBefore;
    return { value: count / seconds, cpuMicros: (cpu / count) * 1e6 };
  } finally {
    await worker.stop();
  }
}

/** Throws if an event was not applied. Of this type only: the worker's sweep also finds the seed's own events. */
async function failOnUnapplied(environment: BenchEnvironment): Promise<void> {
  const { rows } = await environment.database.query<{ status: string; count: string }>(
    `SELECT status, count(*) FROM stripe_events WHERE status <> 'applied' AND type = $1 GROUP BY status`,
    [subscriptionEventType],
  );
  if (rows.length > 0) throw new Error(`Not every event was applied: ${JSON.stringify(rows)}`);
}

/** Draining a backlog of events about the seeded subscriptions. */
export const worker: Scenario = {
  name: 'worker',
  isDefault: true,
  async run(environment, { rounds, seconds, say }) {
    const queue = new Queue(queueNames.stripeEvents, {
      connection: environment.queue,
      defaultJobOptions: { removeOnComplete: true, removeOnFail: true },
    });
    const starts = new Map([
      [ours, () => environment.startWorker()],
      [empty, () => environment.startPeer('servers/bullmq-worker', { BENCH_HANDLER: 'empty' })],
      [interactive, () => environment.startPeer('servers/bullmq-worker', { BENCH_HANDLER: 'interactive' })],
    ]);
    const variants = [...starts].map(([name, start]) => ({
      name,
      measure: () => {
        const count = Math.round((perSecondOf[name] ?? 0) * seconds);
        return drain({ queue, count, start, nextEvent: environment.nextEvent });
      },
    }));
    const turns = await takeTurns(variants, { title: scenario, rounds, say });
    await failOnUnapplied(environment);
    const rows = toRows(turns, { scenario, unit: 'events/s', reference: empty });
    return withGoals(rows, ours, [
      atLeast('of empty', ratioOf(turns, ours, empty), 0.4),
      atLeast('× interactive', ratioOf(turns, ours, interactive), 4),
    ]);
  },
};
