import { ok } from '../readiness.ts';
import type { Finding } from '../readiness.ts';
import type { RedisClient } from '../redis/connect-redis.ts';
import { inspectQueueRedis } from './watch-queue-redis.ts';

/** Written by each check: only a write shows that writes are taken. */
const probeKey = 'billing:ready';
const probeSeconds = 60;

/**
 * Whether the queue's Redis can be used: it is a primary that takes writes and, where `mustNotEvict`, keeps what it has.
 * Rejects where it is out of reach.
 */
export async function checkQueueRedis(
  redis: RedisClient,
  { mustNotEvict }: { mustNotEvict: boolean },
): Promise<Finding> {
  const { evictionPolicy, isPrimary } = await inspectQueueRedis(redis);
  if (!isPrimary) return { state: 'away', says: 'is a replica: jobs need the primary' };
  if (mustNotEvict && evictionPolicy !== 'noeviction')
    return { state: 'blocked', says: 'may evict jobs: set noeviction' };
  try {
    await redis.set(probeKey, '1', 'EX', probeSeconds);
    return ok;
  } catch (error) {
    const code = error instanceof Error ? /^[A-Z]{3,20}\b/.exec(error.message)?.[0] : undefined;
    if (code === undefined) throw error;
    return { state: 'impaired', says: `refuses writes (${code})` };
  }
}
