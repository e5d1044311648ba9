import type { Logger } from '@billing/platform';
import type { EntitlementCache } from './cache/entitlement-cache.ts';
import type { OwedInvalidation } from './change-user.ts';
import type { Database } from './create-database.ts';

export type InvalidationDeps = {
  database: Pick<Database, '$queryRaw' | '$executeRaw'>;
  cache: Pick<EntitlementCache, 'invalidate'>;
  logger: Logger;
  /** Where given, debts are forgotten together, a little later, by one statement for many changes. */
  forgetter?: Forgetter;
};

/** An unsettled row this old was left behind by a process that died, or while Redis was away. */
const leftBehindMs = 2_000;

/** Much less than `leftBehindMs`, so that no drainer meets what the cache has heard. */
const forgetEveryMs = 200;

async function forget(
  database: Pick<Database, '$executeRaw'>,
  owed: readonly Pick<OwedInvalidation, 'id'>[],
): Promise<void> {
  await database.$executeRaw`
    DELETE FROM cache_invalidations WHERE id = ANY(${owed.map(({ id }) => id)}::bigint[])`;
}

export type Forgetter = ReturnType<typeof createForgetter>;

/**
 * Forgets settled debts together: under load one statement, and one commit, for many batches of events. What is
 * lost with the process stays owed, and is settled twice, which is harmless.
 */
export function createForgetter({ database, logger }: Pick<InvalidationDeps, 'database' | 'logger'>) {
  let settled: OwedInvalidation[] = [];
  let timer: NodeJS.Timeout | undefined;

  async function flush(): Promise<void> {
    clearTimeout(timer);
    timer = undefined;
    const owed = settled;
    settled = [];
    if (owed.length === 0) return;
    await forget(database, owed).catch((error: unknown) =>
      logger.warn('cache_invalidation_not_deleted', { count: owed.length, error }),
    );
  }

  return {
    later(owed: readonly OwedInvalidation[]): void {
      // A debt without a row of its own has the id 0.
      settled.push(...owed.filter(({ id }) => id !== 0n));
      if (settled.length > 0) timer ??= setTimeout(() => void flush(), forgetEveryMs);
    },
    /** Forgets now what was put off; never rejects. */
    flush,
  };
}

/**
 * After the commit: tells the cache, then forgets the debt. Never throws, as the change itself is done:
 * what Redis did not hear stays owed, and a drainer tries again.
 */
export async function settleInvalidations(
  { database, cache, logger, forgetter }: InvalidationDeps,
  owed: readonly OwedInvalidation[],
): Promise<'settled' | 'owed'> {
  if (owed.length === 0) return 'settled';
  try {
    await cache.invalidate(owed);
  } catch (error) {
    logger.warn('cache_invalidation_owed', { count: owed.length, error });
    return 'owed';
  }
  if (forgetter !== undefined) {
    forgetter.later(owed);
    return 'settled';
  }
  try {
    await forget(database, owed);
  } catch (error) {
    // The cache has heard; hearing it twice is harmless.
    logger.warn('cache_invalidation_not_deleted', { count: owed.length, error });
  }
  return 'settled';
}

export type DrainOptions = { olderThanMs?: number };

const batchSize = 500;

/**
 * Settles what others left behind, oldest first. No lock and no transaction around the call to Redis: where
 * two processes meet, both tell the same, which is harmless. Returns how many were settled; throws when
 * Postgres or Redis cannot be reached: what is left stays owed.
 */
export async function drainInvalidations(
  { database, cache }: Pick<InvalidationDeps, 'database' | 'cache'>,
  { olderThanMs = leftBehindMs }: DrainOptions = {},
): Promise<number> {
  for (let settled = 0; ;) {
    const owed = await database.$queryRaw<OwedInvalidation[]>`
      SELECT id, project_id AS "projectId", user_id AS "userId", version FROM cache_invalidations
      WHERE created_at <= clock_timestamp() - make_interval(secs => ${olderThanMs / 1000}::double precision)
      ORDER BY id LIMIT ${batchSize}`;
    if (owed.length === 0) return settled;
    await cache.invalidate(owed);
    await forget(database, owed);
    settled += owed.length;
    if (owed.length < batchSize) return settled;
  }
}
