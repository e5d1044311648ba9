import { PassThrough } from 'node:stream';
import { queueNames } from '@billing/domain';
import { createLogger, createQueue } from '@billing/platform';
import { waitFor } from '@billing/testing';
import { startTestWorker, uniqueId } from './start-test-worker.test-support.ts';

/** A worker of these settings, whose retention is run when a test says so. */
export async function startRetention(env: Record<string, string>) {
  const world = await startTestWorker({ env });
  const destination = new PassThrough().resume();
  const logger = createLogger({ service: 'test', level: 'error', format: 'json', destination });
  const queue = createQueue({ url: world.redis.url, name: queueNames.maintenance, prefix: 'bull', logger });
  await waitFor(() => queue.ready(), { what: 'the queue' });
  return {
    world,
    queue,
    /** Adds the job as the schedule does, and waits for its end. */
    async run(): Promise<void> {
      const jobId = uniqueId('retention');
      await queue.add({ name: 'retention', data: {}, jobId }, { deadlineMs: 5_000 });
      await waitFor(async () => (await queue.bull.getJob(jobId)) === undefined, { what: 'the job' });
    },
    async close(): Promise<void> {
      await queue.close();
      await world.close();
    },
  };
}
