import type { BulkJobOptions, Queue } from 'bullmq';
import type { RedisClient } from '../redis/connect-redis.ts';
import { sendAtTurnEnd } from '../redis/tune-connection.ts';

export type NewJob = {
  readonly name: string;
  readonly data: unknown;
  /** Makes adding idempotent while the job is kept: not all digits, no colon. */
  readonly jobId?: string;
  readonly opts?: Omit<BulkJobOptions, 'jobId'>;
};

/** A job in BullMQ's shape. */
export function toBulkJob({ name, data, jobId, opts }: NewJob): {
  name: string;
  data: unknown;
  opts: BulkJobOptions;
} {
  return { name, data, opts: jobId === undefined ? { ...opts } : { ...opts, jobId } };
}

/** Adds jobs one by one and tells duplicates apart; see `JobQueue.add`. */
export function createJobAdder(
  bull: Queue,
  redis: RedisClient,
): (job: NewJob) => Promise<'added' | 'duplicate'> {
  const exists = createExistsBatcher(redis);

  return async (job) => {
    const { name, data, opts } = toBulkJob(job);
    if (job.jobId === undefined) {
      await bull.add(name, data, opts);
      return 'added';
    }
    // Both go out on one connection in this order: the question costs no round trip of its own.
    let adding: Promise<unknown> | undefined;
    const existed = await exists(bull.toKey(job.jobId), () => {
      adding = bull.add(name, data, opts);
      // It is awaited below; it may fail before.
      adding.catch(() => undefined);
    });
    await adding;
    if (!existed) return 'added';
    return replaceIfFinished(bull, job.jobId, () => bull.add(name, data, opts));
  };
}

/** A job kept by other options, or failed by BullMQ itself after stalls, must not swallow the resend. */
async function replaceIfFinished(
  bull: Queue,
  jobId: string,
  addAgain: () => Promise<unknown>,
): Promise<'added' | 'duplicate'> {
  const state = await bull.getJobState(jobId);
  if (state !== 'unknown') {
    if (state !== 'failed' && state !== 'completed') return 'duplicate';
    await bull.remove(jobId);
  }
  await addAgain();
  return 'added';
}

type Query = {
  key: string;
  proceed: () => void;
  resolve: (exists: boolean) => void;
  reject: (error: unknown) => void;
};

/** Not by its digest: a server that has just been started would refuse it, and later commands would overtake it. */
const existsEach = `
local found = {}
for index, key in ipairs(KEYS) do found[index] = redis.call('EXISTS', key) end
return found`;

/**
 * Asks Redis whether a key exists, by one command for all callers of one turn of the event loop. `proceed` is called
 * once the command is sent: what it sends on the same connection runs after the answer was determined. Of several
 * callers with one key in one turn, it exists for all but the first: they come after that one's `proceed`.
 */
function createExistsBatcher(redis: RedisClient): (key: string, proceed: () => void) => Promise<boolean> {
  let waiting: Query[] = [];

  async function ask(keys: readonly string[]): Promise<unknown[]> {
    const [only, ...others] = keys;
    if (only !== undefined && others.length === 0) return [await redis.exists(only)];
    const found = await redis.eval(existsEach, keys.length, ...keys);
    if (!Array.isArray(found)) throw new Error('Redis did not answer with a list');
    return found;
  }

  function send(): void {
    const batch = waiting;
    waiting = [];
    const met = new Set<string>();
    const isRepeated = batch.map(({ key }) => met.size === met.add(key).size);
    ask(batch.map(({ key }) => key)).then(
      (found) =>
        batch.forEach(({ resolve }, index) => resolve(found[index] === 1 || isRepeated[index] === true)),
      (error: unknown) => batch.forEach(({ reject }) => reject(error)),
    );
    for (const { proceed } of batch) proceed();
  }

  return (key, proceed) =>
    new Promise((resolve, reject) => {
      waiting.push({ key, proceed, resolve, reject });
      if (waiting.length === 1) sendAtTurnEnd(redis, send);
    });
}
