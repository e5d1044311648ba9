import type { Finding } from '@billing/platform';
import type { EntitlementCache } from './entitlement-cache.ts';

/**
 * What `/ready` says of the cache: nothing while it is used, and nothing while it is away, which Postgres makes up for. A
 * process whose URL leads to a part of a Redis Cluster is a wrong rollout.
 */
export function checkCache({ offReason }: Pick<EntitlementCache, 'offReason'>): Record<string, Finding> {
  const says = offReason();
  if (says === null) return {};
  return { cache: { state: says.startsWith('off') ? 'noted' : 'blocked', says } };
}
