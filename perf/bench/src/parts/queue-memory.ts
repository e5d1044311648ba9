import { queueNames, projectEvent } from '@billing/domain';
import { Queue } from 'bullmq';
import { spreadOf } from '../measure/statistics.ts';
import type { Stage } from '../stage/set-stage.ts';
import type { Part } from './part.ts';

const waiting = 100_000;

async function usedBytes({ queue }: Stage): Promise<number> {
  return Number(/^used_memory:(\d+)/m.exec(await queue.info('memory'))?.[1]);
}

/** What 100,000 waiting jobs of the usual kind take up in Redis. Finished ones are not kept. */
export const queueMemory: Part = {
  name: 'queue',
  isDefault: true,
  async run(stage) {
    const queue = new Queue(queueNames.stripeEvents, { connection: stage.queue });
    await stage.queue.flushall();
    const before = await usedBytes(stage);
    let jsonBytes = 0;
    for (let from = 0; from < waiting; from += 1_000) {
      const jobs = Array.from({ length: 1_000 }, () => {
        const event = projectEvent({ ...stage.nextEvent().event });
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
    const bytes = (await usedBytes(stage)) - before;
    await stage.queue.flushall();
    const part = 'queue, 100,000 waiting jobs';
    const row = (name: string, unit: string, value: number) => ({
      part,
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
