import { createDatabase } from '@billing/store';
import { stripeEventJob } from '@billing/domain';
import type { Job } from 'bullmq';
import { Redis } from 'ioredis';
import { z } from 'zod';

const subscription = z.looseObject({ id: z.string(), status: z.string() });

/**
 * The usual way: one interactive transaction per event that records the event, reads the subscription, writes it,
 * bumps its user's version and notes the invalidation; then the cache is told.
 */
export function createInteractiveHandler(): (job: Job) => Promise<void> {
  const database = createDatabase({
    url: process.env['DATABASE_URL'] ?? '',
    poolSize: 10,
    connectTimeoutMs: 5_000,
    statementTimeoutMs: 10_000,
  });
  const cache = new Redis(process.env['CACHE_REDIS_URL'] ?? '');

  return async (job) => {
    const { event } = stripeEventJob.parse(job.data);
    const { created, data } = z
      .looseObject({ created: z.number(), data: z.object({ object: subscription }) })
      .parse(event);
    const at = new Date(created * 1000);
    const owed = await database.$transaction(async (tx) => {
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
    if (owed === null) return;
    await cache.del(`bench:${owed.projectId}:${owed.userId ?? ''}`);
    await database.cacheInvalidation.delete({ where: { id: owed.id } });
  };
}
