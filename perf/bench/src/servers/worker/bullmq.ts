import { createServer } from 'node:http';
import { queueNames } from '@billing/domain';
import { Worker } from 'bullmq';
import { Redis } from 'ioredis';
import { host, port } from '../port.ts';
import { createInteractiveHandler } from './interactive-handler.ts';

/** A plain BullMQ worker: `BENCH_HANDLER` is `empty` (what BullMQ costs by itself) or `interactive`. */
const handler =
  process.env['BENCH_HANDLER'] === 'interactive' ? createInteractiveHandler() : () => Promise.resolve();
const worker = new Worker(queueNames.stripeEvents, handler, {
  connection: new Redis(process.env['REDIS_URL'] ?? '', { maxRetriesPerRequest: null }),
  concurrency: Number(process.env['WORKER_CONCURRENCY']),
  removeOnComplete: { count: 0 },
  removeOnFail: { count: 0 },
});
worker.on('failed', (_job, error) => console.error(error));
await worker.waitUntilReady();
createServer((_request, response) => response.end()).listen(port, host);
