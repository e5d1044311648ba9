import type { Queue } from 'bullmq';
import type { RedisClient } from '../redis/connect-redis.ts';

/** How many jobs are read from each end of each state: exact for short queues, bounded for long ones. */
const sampleSize = 100;

/** A job of a scheduler (`repeat:<name>:<ms>`) is made long before it is due; its id says when that is. */
const scheduledId = /^repeat:.*:(\d{1,16})$/;

/**
 * Age in milliseconds of the oldest job that is not done, null if there is none: whether it waits, is being worked
 * on, or was put back for another try. It counts from when the job was first due, so a job that keeps failing
 * grows older, and one that is planned for later has no age yet.
 */
export async function readOldestWaitingMs(bull: Queue, redis: RedisClient): Promise<number | null> {
  const ids = await readSample(bull, redis);
  if (ids.length === 0) return null;
  const pipeline = redis.pipeline();
  for (const id of ids) pipeline.hmget(bull.toKey(id), 'timestamp', 'delay', 'ats');
  const answers = await answersOf(pipeline.exec());
  const now = Date.now();
  const ages = answers.flatMap((answer, index) => {
    const dueAt = Array.isArray(answer) ? firstDueAt(ids[index] ?? '', answer) : null;
    return dueAt === null || dueAt > now ? [] : [now - dueAt];
  });
  return ages.length === 0 ? null : Math.max(...ages);
}

/** Retries come back at the young end of the list, and the furthest delay is the oldest job's: both ends count. */
async function readSample(bull: Queue, redis: RedisClient): Promise<string[]> {
  const pipeline = redis.pipeline();
  for (const list of ['wait', 'paused', 'active'])
    pipeline.lrange(bull.toKey(list), 0, sampleSize - 1).lrange(bull.toKey(list), -sampleSize, -1);
  for (const sorted of ['delayed', 'prioritized'])
    pipeline.zrange(bull.toKey(sorted), 0, sampleSize - 1).zrange(bull.toKey(sorted), -sampleSize, -1);
  const answers = await answersOf(pipeline.exec());
  return [...new Set(answers.flatMap((answer) => (Array.isArray(answer) ? answer.map(String) : [])))];
}

/** `ats`: how often it was started. Before the first start its delay is a plan, later a pause between tries. */
function firstDueAt(id: string, [timestamp, delay, starts]: readonly unknown[]): number | null {
  const scheduledAt = scheduledId.exec(id)?.[1];
  if (scheduledAt !== undefined) return Number(scheduledAt);
  // Finished between the two reads, or BullMQ's own marker in the list.
  if (typeof timestamp !== 'string') return null;
  return Number(timestamp) + (Number(starts ?? 0) === 0 ? Number(delay ?? 0) : 0);
}

async function answersOf(replies: Promise<[Error | null, unknown][] | null>): Promise<unknown[]> {
  return ((await replies) ?? []).map(([error, answer]) => {
    if (error !== null) throw error;
    return answer;
  });
}
