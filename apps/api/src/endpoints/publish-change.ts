import { withDeadline } from '@billing/platform';
import { publishInvalidations } from '@billing/store';
import type { Changed } from '@billing/store';
import type { AppDeps } from '../deps.ts';

/** How long an answer waits until the cache knows of a change. */
const publishMs = 1_000;

/**
 * The result of a committed change, once its invalidations are published, so that the next read is right. While Redis
 * is away the change stands all the same; its invalidations stay pending.
 */
export async function publishChange<T>(
  deps: Pick<AppDeps, 'database' | 'cache' | 'logger' | 'outboxCleaner'>,
  { result, pending }: Changed<T>,
): Promise<T> {
  await withDeadline(publishInvalidations(deps, pending), {
    ms: publishMs,
    onTimeout: () => new Error('the cache did not answer in time'),
  }).catch((error: unknown) => deps.logger.warn('cache_invalidation_late', { error }));
  return result;
}
