import { hasToSum, sumChanges, sumNextPage } from '@billing/store';
import type { MaintenanceDeps } from './deps.ts';

/**
 * Brings the sums that project metrics are read from up to date: what changed, and, after an upgrade, the next of the
 * subscriptions that were there before. Any number of processes may do so at once; one of them does.
 */
export async function sumSubscriptions({
  database,
}: Pick<MaintenanceDeps, 'database'>): Promise<'again' | 'rest'> {
  if (!(await hasToSum(database))) return 'rest';
  const [hasMoreChanges, hasMorePages] = [await sumChanges(database), await sumNextPage(database)];
  return hasMoreChanges || hasMorePages ? 'again' : 'rest';
}
