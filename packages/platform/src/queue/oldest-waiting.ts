import type { Queue } from 'bullmq';
import type { Redis } from 'ioredis';

/** How many jobs are looked at from each end of each state: exact for short queues, bounded for long ones. */
const SAMPLE = 100;

/** A job of a scheduler (`repeat:<name>:<ms>`) is made long before it is due; its id says when that is. */
const SCHEDULED_ID = /^repeat:.*:(\d{1,16})$/;

/**
 * Age in milliseconds of the oldest job that is not done, null if there is none: whether it waits, is in hand,
 * or was put back for another try. It counts from when the job was due at first, so a job that keeps failing
 * grows older, and one that is planned for later has no age yet.
 */
export async function readOldestWaitingMs(bull: Queue, redis: Redis): Promise<number | null> {
  const ids = await readSample(bull, redis);
  const ages = await readAges(bull, { redis, ids });
  return ages.length === 0 ? null : ages.reduce((oldest, age) => Math.max(oldest, age), 0);
}

/** Retries come back at the young end of the list, and the furthest delay is the oldest job's: both ends count. */
async function readSample(bull: Queue, redis: Redis): Promise<Set<string>> {
  const pipeline = redis.pipeline();
  for (const list of ['wait', 'paused', 'active'])
    pipeline.lrange(bull.toKey(list), 0, SAMPLE - 1).lrange(bull.toKey(list), -SAMPLE, -1);
  for (const sorted of ['delayed', 'prioritized'])
    pipeline.zrange(bull.toKey(sorted), 0, SAMPLE - 1).zrange(bull.toKey(sorted), -SAMPLE, -1);
  const answers = await answersOf(pipeline.exec());
  return new Set(answers.flatMap((answer) => (Array.isArray(answer) ? answer.map(String) : [])));
}

async function readAges(
  bull: Queue,
  { redis, ids }: { redis: Redis; ids: ReadonlySet<string> },
): Promise<number[]> {
  if (ids.size === 0) return [];
  const known = [...ids];
  const pipeline = redis.pipeline();
  for (const id of known) pipeline.hmget(bull.toKey(id), 'timestamp', 'delay', 'ats');
  const answers = await answersOf(pipeline.exec());
  const now = Date.now();
  return answers.flatMap((answer, index) => {
    const dueAt = Array.isArray(answer) ? firstDueAt(known[index] ?? '', answer) : null;
    return dueAt === null || dueAt > now ? [] : [now - dueAt];
  });
}

/** `ats`: how often it was started. Before the first start its delay is a plan, later a pause between tries. */
function firstDueAt(id: string, [timestamp, delay, starts]: readonly unknown[]): number | null {
  const scheduledAt = SCHEDULED_ID.exec(id)?.[1];
  if (scheduledAt !== undefined) return Number(scheduledAt);
  // Done between the two questions, or BullMQ's own marker in the list.
  if (typeof timestamp !== 'string') return null;
  return Number(timestamp) + (Number(starts ?? 0) === 0 ? Number(delay ?? 0) : 0);
}

async function answersOf(replies: Promise<[Error | null, unknown][] | null>): Promise<unknown[]> {
  return ((await replies) ?? []).map(([error, answer]) => {
    if (error !== null) throw error;
    return answer;
  });
}
