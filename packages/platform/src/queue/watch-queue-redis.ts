import type { Redis } from 'ioredis';
import { withDeadline } from '../deadline.ts';
import type { Logger } from '../logging/logger.ts';
import { nodeOfKey } from '../redis/cluster-nodes.ts';
import type { RedisClient } from '../redis/connect-redis.ts';
import { serverStateOf } from '../redis/server-state.ts';

export type QueueRedisReport = {
  /** Redis's `maxmemory_policy`; with anything but `noeviction` jobs are lost without an error. */
  readonly evictionPolicy: string;
  /** Whether a restart of Redis keeps its data: append-only file or snapshots. */
  readonly persistent: boolean;
  /** New with every start of the server and every promotion; null: it tells none. */
  readonly id: string | null;
  /** False: a replica, which takes no jobs. */
  readonly isPrimary: boolean;
  readonly isClusterNode: boolean;
};

/**
 * Reads what matters for a queue from the server that holds its keys: of a Redis Cluster, the node of that prefix.
 * Throws when it does not answer within two seconds.
 */
export async function inspectQueueRedis(client: RedisClient, prefix: string): Promise<QueueRedisReport> {
  const redis = nodeOfKey(client, prefix);
  if (redis === null) throw new Error('no node of the Redis Cluster has the slot of the queue');
  const [info, snapshots] = await withDeadline(Promise.all([redis.info(), readSnapshotSchedule(redis)]), {
    ms: 2_000,
    onTimeout: () => new Error('Redis did not answer INFO within 2 s.'),
  });
  const valueOf = (field: string): string | undefined =>
    new RegExp(`^${field}:(.*)$`, 'm').exec(info)?.[1]?.trim();
  return {
    evictionPolicy: valueOf('maxmemory_policy') ?? 'unknown',
    persistent: valueOf('aof_enabled') === '1' || snapshots !== '',
    ...serverStateOf(info),
  };
}

/** Hosted Redis often forbids CONFIG; then only the append-only file counts as known. */
async function readSnapshotSchedule(redis: Redis): Promise<string> {
  try {
    const answer: unknown = await redis.config('GET', 'save');
    return Array.isArray(answer) && typeof answer[1] === 'string' ? answer[1] : '';
  } catch {
    return '';
  }
}

export type QueueRedisWatch = {
  readonly inspect: () => Promise<QueueRedisReport>;
  readonly logger: Logger;
};

const firstAfterMs = 500;
/** Until Redis has answered once, and after each failure. */
const retryEveryMs = 5_000;
/** Settings can be changed while Redis runs, and a failover leads to another server. */
const everyMs = 30_000;

/**
 * Logs, once each, that the queue's Redis may evict jobs (an error) or would lose them at a restart (a warning).
 * Inspects from the start on, again and again; returns the function that ends it.
 */
export function watchQueueRedis({ inspect, logger }: QueueRedisWatch): () => void {
  let timer: NodeJS.Timeout | undefined;
  let isEnded = false;
  let lastPolicy = 'noeviction';
  let lastPersistent = true;

  function report(found: QueueRedisReport): void {
    const { evictionPolicy, persistent } = found;
    if (evictionPolicy !== lastPolicy && evictionPolicy !== 'noeviction')
      logger.error('queue_redis_may_evict', {
        eviction_policy: evictionPolicy,
        set: 'maxmemory-policy noeviction',
      });
    if (!persistent && lastPersistent)
      logger.warn('queue_redis_not_persistent', { set: 'appendonly yes', restored_by: 'the event sweep' });
    lastPolicy = evictionPolicy;
    lastPersistent = persistent;
  }

  async function look(): Promise<void> {
    try {
      report(await inspect());
      schedule(everyMs);
    } catch {
      schedule(retryEveryMs);
    }
  }

  function schedule(inMs: number): void {
    if (isEnded) return;
    timer = setTimeout(() => void look(), inMs);
    timer.unref();
  }

  schedule(firstAfterMs);
  return () => {
    isEnded = true;
    clearTimeout(timer);
  };
}
