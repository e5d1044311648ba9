import type { Logger } from '@billing/platform';
import type { Invalidate } from './cache/invalidate.ts';
import type { PendingInvalidation } from './change-user.ts';
import type { Database } from './create-database.ts';

/*
 * The outbox: cache invalidations are written with the change that causes them (table `cache_invalidations`), published
 * to the cache after the commit, then deleted. To publish one twice is harmless.
 */

export type OutboxDeps = {
  database: Pick<Database, '$queryRaw' | '$executeRaw'>;
  cache: { invalidate: Invalidate };
  logger: Logger;
  /** Where given, published rows are deleted a little later, by one statement for many changes. */
  outboxCleaner?: OutboxCleaner;
};

/** A row this old was left behind by a process that died, or while Redis was away. */
const leftBehindMs = 2_000;

/** Much less than `leftBehindMs`, so that nobody publishes again what is published already. */
const deleteEveryMs = 200;

/**
 * By the range of their ids, which lie close together: whatever the size of the table was when this was planned, Postgres
 * looks into the index, while a list alone may read the table with all its dead rows.
 */
async function deletePublished(
  database: Pick<Database, '$executeRaw'>,
  published: readonly Pick<PendingInvalidation, 'id'>[],
): Promise<void> {
  const ids = published.map(({ id }) => id);
  const [first = 0n] = ids;
  const least = ids.reduce((before, id) => (id < before ? id : before), first);
  const greatest = ids.reduce((before, id) => (id > before ? id : before), first);
  await database.$executeRaw`
    DELETE FROM public.cache_invalidations
    WHERE id BETWEEN ${least} AND ${greatest} AND id + 0 = ANY(${ids}::bigint[])`;
}

export type OutboxCleaner = {
  deleteLater: (published: readonly PendingInvalidation[]) => void;
  /** Deletes now what was put off, after what is being deleted; never rejects. */
  flush: () => Promise<void>;
};

/**
 * Deletes published rows together: under load one statement, and one commit, for many batches of events. What is
 * put off when the process dies stays in the table, and is published again.
 */
export function createOutboxCleaner({
  database,
  logger,
}: Pick<OutboxDeps, 'database' | 'logger'>): OutboxCleaner {
  let published: PendingInvalidation[] = [];
  let timer: NodeJS.Timeout | undefined;
  let deleting = Promise.resolve();

  async function deleteNow(): Promise<void> {
    const rows = published;
    published = [];
    if (rows.length === 0) return;
    await deletePublished(database, rows).catch((error: unknown) =>
      logger.warn('cache_invalidation_not_deleted', { count: rows.length, error }),
    );
  }

  function flush(): Promise<void> {
    clearTimeout(timer);
    timer = undefined;
    deleting = deleting.then(deleteNow);
    return deleting;
  }

  return {
    deleteLater(rows) {
      // An invalidation without a row of its own has the id 0.
      published.push(...rows.filter(({ id }) => id !== 0n));
      if (published.length > 0) timer ??= setTimeout(() => void flush(), deleteEveryMs);
    },
    flush,
  };
}

/**
 * After the commit: tells the cache, then deletes the rows. Never throws, as the change itself is done: where the cache
 * cannot be reached the rows stay, for `publishPending`.
 */
export async function publishInvalidations(
  { database, cache, logger, outboxCleaner }: OutboxDeps,
  pending: readonly PendingInvalidation[],
): Promise<'published' | 'pending'> {
  if (pending.length === 0) return 'published';
  let missed: readonly PendingInvalidation[];
  try {
    missed = await cache.invalidate(pending);
  } catch (error) {
    logger.warn('cache_invalidation_pending', { count: pending.length, error });
    return 'pending';
  }
  if (missed.length > 0) logger.warn('cache_invalidation_pending', { count: missed.length });
  const published = missed.length === 0 ? pending : pending.filter((one) => !missed.includes(one));
  const outcome = missed.length === 0 ? 'published' : 'pending';
  if (outboxCleaner !== undefined) {
    outboxCleaner.deleteLater(published);
    return outcome;
  }
  try {
    await deletePublished(database, published);
  } catch (error) {
    logger.warn('cache_invalidation_not_deleted', { count: published.length, error });
  }
  return outcome;
}

const batchSize = 500;

/**
 * Publishes what other processes left behind, oldest first. No lock and no transaction around the call to Redis: two
 * processes that publish the same do no harm. Returns how many were published; throws when Postgres or Redis cannot be
 * reached: what is left stays pending.
 */
export async function publishPending(
  { database, cache }: Pick<OutboxDeps, 'database' | 'cache'>,
  { olderThanMs = leftBehindMs }: { olderThanMs?: number } = {},
): Promise<number> {
  // Where one server of several is away, what it should be told does not hold up what comes after it.
  let after = 0n;
  for (let published = 0; ;) {
    const pending = await database.$queryRaw<PendingInvalidation[]>`
      SELECT id, project_id AS "projectId", user_id AS "userId", version FROM public.cache_invalidations
      WHERE created_at <= clock_timestamp() - make_interval(secs => ${olderThanMs / 1000}::double precision)
        AND id > ${after}::bigint
      ORDER BY id LIMIT ${batchSize}`;
    const last = pending.at(-1);
    if (last === undefined) return published;
    const missed = await cache.invalidate(pending);
    const told = pending.filter((one) => !missed.includes(one));
    await deletePublished(database, told);
    published += told.length;
    after = last.id;
    if (pending.length < batchSize) return published;
  }
}
