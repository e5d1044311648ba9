import { queueNames, projectEvent } from '@billing/domain';
import { Queue } from 'bullmq';
import type { BenchEnvironment } from '../environment/set-up.ts';
import { spreadOf } from '../measure/statistics.ts';
import type { Scenario } from './scenario.ts';

const waiting = 100_000;

async function usedBytes({ queue }: BenchEnvironment): Promise<number> {
  return Number(/^used_memory:(\d+)/m.exec(await queue.info('memory'))?.[1]);
}

/** How much memory 100,000 waiting jobs take in Redis. */
export const queueMemory: Scenario = {
  name: 'queue',
  isDefault: false,
  async run(environment) {
    const queue = new Queue(queueNames.stripeEvents, { connection: environment.queue });
    await environment.queue.flushall();
    const before = await usedBytes(environment);
    let jsonBytes = 0;
    for (let from = 0; from < waiting; from += 1_000) {
      const jobs = Array.from({ length: 1_000 }, () => {
        const event = projectEvent(environment.nextEvent().event);
        const data = { event, received_at: new Date().toISOString() };
        jsonBytes += JSON.stringify(data).length;
        return {
          name: String(event['type']),
          data,
          opts: { jobId: String(event['id']), removeOnComplete: true },
        };
      });
      await queue.addBulk(jobs);
    }
    const bytes = (await usedBytes(environment)) - before;
    await environment.queue.flushall();
    const scenario = 'queue, 100,000 waiting jobs';
    const row = (name: string, unit: string, value: number) => ({
      scenario,
      name,
      unit,
      value: spreadOf([value]),
    });
    return [
      row('Redis memory', 'MiB', bytes / 2 ** 20),
      row('per waiting job', 'bytes', bytes / waiting),
      row('of which the event', 'bytes', jsonBytes / waiting),
    ];
  },
};
