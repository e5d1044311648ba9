import { queueNames } from '@billing/domain';
import { waitFor } from '@billing/testing';
import { Queue } from 'bullmq';
import type { BenchEnvironment } from '../environment/set-up.ts';
import { webhookPath, writeSignedEvents } from '../load/deliver.ts';
import { saturate } from '../load/saturate.ts';
import type { Saturated } from '../load/saturate.ts';
import { fillQueue, subscriptionEventType } from '../load/subscription-events.ts';
import { countCpu } from '../measure/cpu-time.ts';
import type { Processes } from '../measure/cpu-time.ts';
import { takeTurns } from '../measure/take-turns.ts';
import { atLeast } from '../report/goal.ts';
import { quotient, rateOf, toRows, withGoals } from '../report/row.ts';
import { startBullmq, startSynchronous } from './event-rivals.ts';
import { processesOf, processOf, stopAll, variantsOf, warmAll } from './rivals.ts';
import type { Rival } from './rivals.ts';
import type { Scenario } from './scenario.ts';

const scenario = 'backlog of events';
const [ours, empty] = ['our worker', 'BullMQ, empty handler'];
const openStates = ['waiting', 'active', 'delayed', 'prioritized'] as const;

/** `apply` has the rival apply so many new events as fast as it can. */
type BacklogRival = Rival & { apply: (count: number) => Promise<Saturated> };

async function isDrained(queue: Queue): Promise<boolean> {
  const counts = await queue.getJobCounts(...openStates);
  return Object.values(counts).every((count) => count === 0);
}

/** A worker that empties a queue: it is filled while paused, and timed from `resume` until it is empty. */
function drains(
  rival: Rival,
  {
    environment,
    queueName,
    servers,
  }: { environment: BenchEnvironment; queueName: string; servers: Processes },
): BacklogRival {
  const queue = new Queue(queueName, {
    connection: environment.queue,
    defaultJobOptions: { removeOnComplete: true, removeOnFail: true },
  });
  const apply = async (count: number): Promise<Saturated> => {
    await queue.pause();
    await fillQueue(queue, environment.nextEvent, count);
    const cpuOf = countCpu(processesOf(rival, servers));
    const startedAt = performance.now();
    await queue.resume();
    await waitFor(() => isDrained(queue), { timeoutMs: 120_000, intervalMs: 10, what: 'an empty queue' });
    return { value: (count / (performance.now() - startedAt)) * 1000, cpu: cpuOf(count), count };
  };
  return { ...rival, apply };
}

const requestsAtOnce = 32;

/** One that writes inside the request; the events are signed before. */
function answers(rival: Rival, environment: BenchEnvironment, servers: Processes): BacklogRival {
  const apply = (count: number): Promise<Saturated> => {
    // The load generator prepares one request more for each connection.
    const eventsFile = writeSignedEvents(environment.nextEvent, count + 2 * requestsAtOnce);
    const load = { connections: requestsAtOnce, count, webhook: { eventsFile, path: webhookPath } };
    return saturate(processOf(rival, 'API'), load, processesOf(rival, servers));
  };
  return { ...rival, apply };
}

async function startRivals(environment: BenchEnvironment): Promise<BacklogRival[]> {
  const { postgres, queueRedis, cacheRedis } = environment.shared;
  const servers = { Postgres: postgres, Redis: queueRedis, cache: cacheRedis };
  const worker = await environment.startWorker();
  const emptyBullmq = await startBullmq(environment, 'empty');
  const lean = await startBullmq(environment, 'lean');
  const { writer, syncEngine } = await startSynchronous(environment);
  return [
    drains(
      { name: ours, does: 'as built', running: { worker } },
      { environment, queueName: queueNames.stripeEvents, servers },
    ),
    drains(
      {
        name: empty,
        does: 'takes each job and does nothing. A floor, not a rival',
        running: { worker: emptyBullmq.worker },
      },
      { environment, queueName: emptyBullmq.queueName, servers: { Redis: queueRedis } },
    ),
    drains(
      {
        name: 'lean worker',
        does: 'one hand-written, prepared statement per event, 32 at a time; no order, no ownership, no outbox',
        running: { worker: lean.worker },
      },
      { environment, queueName: lean.queueName, servers },
    ),
    answers(writer, environment, { Postgres: postgres, cache: cacheRedis }),
    answers(syncEngine, environment, { Postgres: postgres }),
  ];
}

/** Throws if an event was not applied. Of this type only: the worker's sweep also finds the seed's own events. */
async function failOnUnapplied(environment: BenchEnvironment): Promise<void> {
  const { rows } = await environment.database.query<{ status: string; count: string }>(
    `SELECT status, count(*) FROM public.stripe_events WHERE status <> 'applied' AND type = $1 GROUP BY status`,
    [subscriptionEventType],
  );
  if (rows.length > 0) throw new Error(`Not every event was applied: ${JSON.stringify(rows)}`);
}

/** Applying many events about the seeded subscriptions as fast as possible. */
export const worker: Scenario = {
  name: 'worker',
  isDefault: true,
  async run(environment, settings) {
    const { rounds, seconds, say } = settings;
    const rivals = await startRivals(environment);
    const rates = new Map<string, number>();
    const turn = async (rival: BacklogRival, count: number): Promise<Saturated> => {
      const measured = await rival.apply(count);
      rates.set(rival.name, measured.value);
      return measured;
    };
    await warmAll({ rivals, turn: (rival) => turn(rival, 2_500), settings });
    // Each as many as it applies in the time.
    const countFor = ({ name }: Rival): number => Math.max(500, Math.round((rates.get(name) ?? 0) * seconds));
    const variants = variantsOf(rivals, (rival) => turn(rival, countFor(rival)));
    const turns = await takeTurns(variants, { title: scenario, rounds, say });
    await stopAll(rivals);
    await failOnUnapplied(environment);
    const rows = toRows(turns, { scenario, unit: 'events/s', reference: empty, variants: rivals });
    const path = 'backlog';
    const to = (name: string): number => quotient(turns, [ours, name], rateOf);
    return withGoals(rows, ours, [
      atLeast({ path, figure: 'rate ÷ the sync engine’s', reached: to('sync engine') }, 2.5),
      atLeast({ path, figure: 'rate ÷ an empty BullMQ handler’s', reached: to(empty) }, 0.36),
    ]);
  },
};
