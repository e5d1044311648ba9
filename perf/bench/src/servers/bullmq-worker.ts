import { queueNames, stripeEventJob } from '@billing/domain';
import { createDatabase } from '@billing/store';
import { Worker } from 'bullmq';
import type { Job } from 'bullmq';
import { Redis } from 'ioredis';
import { z } from 'zod';
import { serve } from './http.ts';

const subscription = z.looseObject({ id: z.string(), status: z.string() });
const subscriptionEvent = z.looseObject({ created: z.number(), data: z.object({ object: subscription }) });

/**
 * The usual way: one interactive transaction per event, which records the event, reads and writes the subscription,
 * bumps its user's version and writes the invalidation; then the cache entry is deleted.
 */
function createInteractiveHandler(): (job: Job) => Promise<void> {
  const database = createDatabase({
    url: process.env['DATABASE_URL'] ?? '',
    poolSize: 10,
    connectTimeoutMs: 5_000,
    statementTimeoutMs: 10_000,
  });
  const cache = new Redis(process.env['CACHE_REDIS_URL'] ?? '');

  return async (job) => {
    const { event } = stripeEventJob.parse(job.data);
    const { created, data } = subscriptionEvent.parse(event);
    const at = new Date(created * 1000);
    const invalidation = await database.$transaction(async (tx) => {
      const seen = await tx.stripeEvent.createMany({
        data: {
          eventId: event.id,
          type: event.type,
          objectId: data.object.id,
          status: 'applied',
          created: at,
          receivedAt: at,
          payload: JSON.parse(JSON.stringify(event)),
        },
        skipDuplicates: true,
      });
      if (seen.count === 0) return null;
      const known = await tx.subscription.findUnique({ where: { id: data.object.id } });
      if (known === null || known.userRef === null) return null;
      await tx.subscription.update({
        where: { id: known.id },
        data: {
          status: data.object.status,
          snapshotAt: at,
          snapshotEventId: event.id,
          rowVersion: { increment: 1 },
        },
      });
      const user = await tx.user.update({
        where: { id: known.userRef },
        data: { version: { increment: 1 } },
      });
      return tx.cacheInvalidation.create({
        data: { projectId: user.projectId, userId: user.userId, version: user.version },
      });
    });
    if (invalidation === null) return;
    await cache.del(`bench:${invalidation.projectId}:${invalidation.userId ?? ''}`);
    await database.cacheInvalidation.delete({ where: { id: invalidation.id } });
  };
}

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
serve((_request, response) => void response.end());
