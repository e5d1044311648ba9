import { Cluster } from 'ioredis';
import { ok } from '../readiness.ts';
import type { Finding } from '../readiness.ts';
import type { RedisClient } from '../redis/connect-redis.ts';
import { inspectQueueRedis } from './watch-queue-redis.ts';

/** Written by each check, beside the queue's own keys: only a write shows that writes are taken there. */
const probeKeyOf = (prefix: string): string => `${prefix}:ready`;
const probeSeconds = 60;

/** What is said where a URL of one server leads to a node of a Redis Cluster, which has a part of the keys only. */
export const saysClusterNode = (variable: string): string =>
  `is a node of a Redis Cluster: write redis+cluster:// in ${variable}`;

/**
 * Whether the queue's Redis can be used: it is a primary that takes writes and, where `mustNotEvict`, keeps what it has.
 * Rejects where it is out of reach.
 */
export async function checkQueueRedis(
  redis: RedisClient,
  { prefix, mustNotEvict }: { prefix: string; mustNotEvict: boolean },
): Promise<Finding> {
  const { evictionPolicy, isPrimary, isClusterNode } = await inspectQueueRedis(redis, prefix);
  if (isClusterNode && !(redis instanceof Cluster))
    return { state: 'blocked', says: saysClusterNode('REDIS_URL') };
  if (!isPrimary) return { state: 'away', says: 'is a replica: jobs need the primary' };
  if (mustNotEvict && evictionPolicy !== 'noeviction')
    return { state: 'blocked', says: 'may evict jobs: set noeviction' };
  try {
    await redis.set(probeKeyOf(prefix), '1', 'EX', probeSeconds);
    return ok;
  } catch (error) {
    const code = error instanceof Error ? /^[A-Z]{3,20}\b/.exec(error.message)?.[0] : undefined;
    if (code === undefined) throw error;
    return { state: 'impaired', says: `refuses writes (${code})` };
  }
}
