import type { Logger } from '@billing/platform';
import type { EntitlementCache } from './cache/entitlement-cache.ts';
import type { OwedInvalidation } from './change-user.ts';
import type { Database } from './create-database.ts';

export type InvalidationDeps = {
  database: Pick<Database, '$queryRaw' | '$executeRaw'>;
  cache: Pick<EntitlementCache, 'invalidate'>;
  logger: Logger;
};

/** An unsettled row this old was left behind by a process that died, or while Redis was away. */
const leftBehindMs = 2_000;

async function forget(
  database: InvalidationDeps['database'],
  owed: readonly OwedInvalidation[],
): Promise<void> {
  await database.$executeRaw`
    DELETE FROM cache_invalidations WHERE id = ANY(${owed.map(({ id }) => id)}::bigint[])`;
}

/**
 * After the commit: tells the cache, then forgets the debt. Never throws, as the change itself is done:
 * what Redis did not hear stays owed, and a drainer tries again.
 */
export async function settleInvalidations(
  { database, cache, logger }: InvalidationDeps,
  owed: readonly OwedInvalidation[],
): Promise<'settled' | 'owed'> {
  if (owed.length === 0) return 'settled';
  try {
    await cache.invalidate(owed);
  } catch (error) {
    logger.warn('cache_invalidation_owed', { count: owed.length, error });
    return 'owed';
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
