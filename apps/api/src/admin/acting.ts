import { withDeadline } from '@billing/platform';
import { publishInvalidations } from '@billing/store';
import type { Actor, Changed } from '@billing/store';
import type { Response } from 'express';
import type { AppDeps } from '../deps.ts';
import { adminOf } from '../http/authenticate-admin.ts';
import { requestIdOf } from '../http/request-id.ts';

export type AdminDeps = Pick<
  AppDeps,
  'config' | 'authFailures' | 'database' | 'cache' | 'keys' | 'clock' | 'logger' | 'maintenance'
>;

/** How long an answer waits for the cache to hear of a change. */
const settleMs = 1_000;

/** Who acts, for the audit log. */
export const actorOf = (response: Response): Actor => ({
  name: adminOf(response).name,
  requestId: requestIdOf(response),
});

/**
 * The result of a committed change, after the cache has heard of it, so that the next read is right. While
 * Redis is away the change stands all the same; what it must hear stays pending.
 */
export async function settled<T>(deps: AdminDeps, { result, pending }: Changed<T>): Promise<T> {
  await withDeadline(publishInvalidations(deps, pending), {
    ms: settleMs,
    onTimeout: () => new Error('the cache did not answer in time'),
  }).catch((error: unknown) => deps.logger.warn('cache_invalidation_late', { error }));
  return result;
}
