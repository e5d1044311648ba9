import { withDeadline } from '@billing/platform';
import type { Logger } from '@billing/platform';
import type { Redis } from 'ioredis';

export type RedisLinkOptions = {
  redis: Redis;
  logger: Logger;
  /** Runs after each (re)connection, before `runId` says which run it is. */
  catchUp?: () => Promise<void>;
};

export type RedisLink = {
  /** Which run of the server answers; null: do not ask it now. */
  runId: () => string | null;
  reportFailure: (error: unknown) => void;
};

/** How long Redis is left alone after it failed to answer: a frozen one must not cost every read its timeout. */
const pauseAfterFailureMs = 500;
const catchUpDeadlineMs = 2_000;

/** Whether the cache's Redis may be asked now, and which run of the server answers. */
export function createRedisLink({ redis, logger, catchUp }: RedisLinkOptions): RedisLink {
  let trustedRunId: string | null = null;
  let pausedUntil = 0;
  let connection = 0;

  async function greet(): Promise<void> {
    connection += 1;
    const mine = connection;
    const runId = await readWritableRunId(redis);
    if (catchUp !== undefined)
      await withDeadline(catchUp(), {
        ms: catchUpDeadlineMs,
        onTimeout: () => new Error('publishing the pending invalidations took too long'),
      }).catch((error: unknown) => logger.warn('cache_catch_up_failed', { error }));
    if (mine === connection && redis.status === 'ready') trustedRunId = runId;
  }

  const onReady = (): void => {
    greet().catch((error: unknown) => {
      logger.warn('cache_greeting_failed', { error });
      // Without an answer the connection is of no use; a new one greets again.
      redis.disconnect(true);
    });
  };
  redis.on('ready', onReady);
  redis.on('close', () => {
    connection += 1;
    trustedRunId = null;
  });
  if (redis.status === 'ready') onReady();

  return {
    runId: () =>
      trustedRunId === null || redis.status !== 'ready' || performance.now() < pausedUntil
        ? null
        : trustedRunId,
    reportFailure(error) {
      logger.debug('cache_command_failed', { error });
      // Redis answered, if only with a refusal (full memory): it is there.
      if (error instanceof Error && error.name === 'ReplyError') return;
      pausedUntil = performance.now() + pauseAfterFailureMs;
    },
  };
}

/**
 * New with every start of the server; eight characters tell two runs apart. Throws for a replica: it cannot be told
 * of changes, so its answers may be old.
 */
async function readWritableRunId(redis: Redis): Promise<string> {
  const [server, replication] = await Promise.all([redis.info('server'), redis.info('replication')]);
  if (/^role:slave/m.test(replication)) throw new Error('the cache Redis is a read-only replica');
  return /^run_id:(\w{8})/m.exec(server)?.[1] ?? 'unknown';
}
