import { stripeEventJob } from '@billing/domain';
import { Worker } from 'bullmq';
import type { Job } from 'bullmq';
import { Redis } from 'ioredis';
import { serve } from '../http.ts';
import { createApplyEvent } from './apply-event.ts';

/**
 * A plain BullMQ worker on `BENCH_QUEUE`. `BENCH_HANDLER`: `empty` (what BullMQ costs by itself) or `lean` (one
 * hand-written statement).
 */
function createHandler(): (job: Job) => Promise<void> {
  if (process.env['BENCH_HANDLER'] === 'empty') return () => Promise.resolve();
  const apply = createApplyEvent();
  return (job) => apply(stripeEventJob.parse(job.data).event);
}

const worker = new Worker(process.env['BENCH_QUEUE'] ?? '', createHandler(), {
  connection: new Redis(process.env['REDIS_URL'] ?? '', { maxRetriesPerRequest: null }),
  concurrency: Number(process.env['WORKER_CONCURRENCY']),
  removeOnComplete: { count: 0 },
  removeOnFail: { count: 0 },
});
worker.on('failed', (_job, error) => console.error(error));
await worker.waitUntilReady();
serve((_request, response) => void response.end());
