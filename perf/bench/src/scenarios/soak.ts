import { queueNames } from '@billing/domain';
import { Queue } from 'bullmq';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Running } from '../environment/start-process.ts';
import { generate } from '../load/saturate.ts';
import { fillQueue } from '../load/subscription-events.ts';
import { residentMib } from '../measure/cpu-time.ts';
import { median, spreadOf } from '../measure/statistics.ts';
import { atMost } from '../report/goal.ts';
import type { Row } from '../report/row.ts';
import { checkPath, subscribedUsers } from './scenario.ts';
import type { Scenario } from './scenario.ts';

const scenario = 'soak, both at full load';
const backlog = 100_000;
const sampleMs = 1_000;

/** Resident memory once a second until `signal`. */
async function watch(process: Running, signal: AbortSignal): Promise<number[]> {
  const samples: number[] = [];
  while (!signal.aborted) {
    samples.push(residentMib(process.pid));
    await sleep(sampleMs);
  }
  return samples;
}

/** The last quarter divided by the second one, as the first is the start; 1: it does not grow. */
function growth(samples: readonly number[]): number {
  const quarter = Math.floor(samples.length / 4);
  return median(samples.slice(-quarter)) / median(samples.slice(quarter, 2 * quarter));
}

function toRows(name: string, samples: readonly number[], limitMib: number): Row[] {
  const greatest = Math.max(...samples);
  return [
    {
      scenario,
      name: `${name}, resident memory`,
      unit: 'MiB',
      value: spreadOf(samples),
      goals: [atMost({ path: scenario, figure: `${name}, MiB`, reached: greatest }, limitMib)],
    },
    {
      scenario,
      name: `${name}, last quarter ÷ second`,
      unit: '×',
      value: spreadOf([growth(samples)]),
      goals: [atMost({ path: scenario, figure: `${name}, growth`, reached: growth(samples) }, 1.1)],
    },
  ];
}

/**
 * Memory of API and worker at full load for `seconds`, and whether it grows. The worker's backlog never falls below
 * 100,000. The load is more than the machine can do, so that some checks are refused.
 */
export const soak: Scenario = {
  name: 'soak',
  isDefault: false,
  async run(environment, { seconds, say }) {
    const queue = new Queue(queueNames.stripeEvents, {
      connection: environment.queue,
      defaultJobOptions: { removeOnComplete: true, removeOnFail: true },
    });
    say(`${scenario}: filling the queue`);
    await fillQueue(queue, environment.nextEvent, backlog);
    const [api, worker] = await Promise.all([environment.startApi(), environment.startWorker()]);
    const ended = AbortSignal.timeout(seconds * 1000);
    const keepFull = async (): Promise<void> => {
      while (!ended.aborted) {
        if ((await queue.getWaitingCount()) < backlog) await fillQueue(queue, environment.nextEvent, 500);
        else await sleep(50);
      }
    };
    const paths = subscribedUsers(environment, 100_000).map(checkPath);
    const [ofApi, ofWorker, checks] = await Promise.all([
      watch(api, ended),
      watch(worker, ended),
      generate(api.url, { connections: 64, seconds, apiKey: environment.seeded.apiKey, paths }),
      keepFull(),
    ]);
    await Promise.all([api.stop(), worker.stop()]);
    await environment.queue.flushall();
    const failed = (100 * checks.failed) / checks.requests;
    return [
      ...toRows('API', ofApi, 200),
      ...toRows('worker', ofWorker, 250),
      {
        scenario,
        name: `${checks.requests} checks, refused or later than 2 s`,
        unit: '%',
        value: spreadOf([failed]),
      },
    ];
  },
};
