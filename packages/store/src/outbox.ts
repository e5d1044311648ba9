import type { Logger } from '@billing/platform';
import type { EntitlementCache } from './cache/entitlement-cache.ts';
import type { PendingInvalidation } from './change-user.ts';
import type { Database } from './create-database.ts';

export type OutboxDeps = {
  database: Pick<Database, '$queryRaw' | '$executeRaw'>;
  cache: Pick<EntitlementCache, 'invalidate'>;
  logger: Logger;
  /** Where given, debts are forgotten together, a little later, by one statement for many changes. */
  outboxCleaner?: OutboxCleaner;
};

/** An unsettled row this old was left behind by a process that died, or while Redis was away. */
const leftBehindMs = 2_000;

/** Much less than `leftBehindMs`, so that no drainer meets what the cache has heard. */
const forgetEveryMs = 200;

async function forget(
  database: Pick<Database, '$executeRaw'>,
  pending: readonly Pick<PendingInvalidation, 'id'>[],
): Promise<void> {
  await database.$executeRaw`
    DELETE FROM cache_invalidations WHERE id = ANY(${pending.map(({ id }) => id)}::bigint[])`;
}

export type OutboxCleaner = ReturnType<typeof createOutboxCleaner>;

/**
 * Forgets settled debts together: under load one statement, and one commit, for many batches of events. What is
 * lost with the process stays pending, and is settled twice, which is harmless.
 */
export function createOutboxCleaner({ database, logger }: Pick<OutboxDeps, 'database' | 'logger'>) {
  let settled: PendingInvalidation[] = [];
  let timer: NodeJS.Timeout | undefined;

  async function flush(): Promise<void> {
    clearTimeout(timer);
    timer = undefined;
    const pending = settled;
    settled = [];
    if (pending.length === 0) return;
    await forget(database, pending).catch((error: unknown) =>
      logger.warn('cache_invalidation_not_deleted', { count: pending.length, error }),
    );
  }

  return {
    later(pending: readonly PendingInvalidation[]): void {
      // A debt without a row of its own has the id 0.
      settled.push(...pending.filter(({ id }) => id !== 0n));
      if (settled.length > 0) timer ??= setTimeout(() => void flush(), forgetEveryMs);
    },
    /** Forgets now what was put off; never rejects. */
    flush,
  };
}

/**
 * After the commit: tells the cache, then forgets the debt. Never throws, as the change itself is done:
 * what Redis did not hear stays pending, and a drainer tries again.
 */
export async function publishInvalidations(
  { database, cache, logger, outboxCleaner }: OutboxDeps,
  pending: readonly PendingInvalidation[],
): Promise<'settled' | 'pending'> {
  if (pending.length === 0) return 'settled';
  try {
    await cache.invalidate(pending);
  } catch (error) {
    logger.warn('cache_invalidation_owed', { count: pending.length, error });
    return 'pending';
  }
  if (outboxCleaner !== undefined) {
    outboxCleaner.later(pending);
    return 'settled';
  }
  try {
    await forget(database, pending);
  } catch (error) {
    // The cache has heard; hearing it twice is harmless.
    logger.warn('cache_invalidation_not_deleted', { count: pending.length, error });
  }
  return 'settled';
}

export type PublishPendingOptions = { olderThanMs?: number };

const batchSize = 500;

/**
 * Settles what others left behind, oldest first. No lock and no transaction around the call to Redis: where
 * two processes meet, both tell the same, which is harmless. Returns how many were settled; throws when
 * Postgres or Redis cannot be reached: what is left stays pending.
 */
export async function publishPending(
  { database, cache }: Pick<OutboxDeps, 'database' | 'cache'>,
  { olderThanMs = leftBehindMs }: PublishPendingOptions = {},
): Promise<number> {
  for (let settled = 0; ;) {
    const pending = await database.$queryRaw<PendingInvalidation[]>`
      SELECT id, project_id AS "projectId", user_id AS "userId", version FROM cache_invalidations
      WHERE created_at <= clock_timestamp() - make_interval(secs => ${olderThanMs / 1000}::double precision)
      ORDER BY id LIMIT ${batchSize}`;
    if (pending.length === 0) return settled;
    await cache.invalidate(pending);
    await forget(database, pending);
    settled += pending.length;
    if (pending.length < batchSize) return settled;
  }
}
