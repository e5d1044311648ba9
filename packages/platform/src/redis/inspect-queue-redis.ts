import type { Redis } from 'ioredis';
import { withDeadline } from '../deadline.ts';

export interface QueueRedisReport {
  /** Redis's `maxmemory_policy`; anything but `noeviction` loses jobs in silence. */
  readonly evictionPolicy: string;
  /** Whether a restart of Redis keeps its data: append-only file or snapshots. */
  readonly persistent: boolean;
  /** New with every start of the server. */
  readonly runId: string;
}

/** Reads what matters for a queue from Redis. Throws when Redis does not answer within two seconds. */
export async function inspectQueueRedis(redis: Redis): Promise<QueueRedisReport> {
  const [info, snapshots] = await withDeadline(Promise.all([redis.info(), readSnapshotSchedule(redis)]), {
    ms: 2_000,
    onTimeout: () => new Error('Redis did not answer INFO within 2 s.'),
  });
  const fields = parseInfo(info);
  return {
    evictionPolicy: fields.get('maxmemory_policy') ?? 'unknown',
    persistent: fields.get('aof_enabled') === '1' || snapshots !== '',
    runId: fields.get('run_id') ?? 'unknown',
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

function parseInfo(info: string): Map<string, string> {
  const fields = new Map<string, string>();
  for (const line of info.split('\r\n')) {
    const colon = line.indexOf(':');
    if (colon > 0) fields.set(line.slice(0, colon), line.slice(colon + 1));
  }
  return fields;
}
