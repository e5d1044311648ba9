import {
  healCustomer,
  healPrice,
  healProject,
  readEventState,
  retryOnDeadlock,
  settleInvalidations,
} from '@billing/store';
import type { OwedInvalidation } from '@billing/store';
import type { WorkerDeps } from '../deps.ts';
import type { Settled } from './decide-object.ts';

const noKeys = {
  eventIds: [],
  subscriptionIds: [],
  purchaseIds: [],
  customerIds: [],
  priceIds: [],
  userIds: [],
  projectIds: [],
};

/**
 * After the commit: cached answers go, also where the event was old news or known (whoever wrote it may have
 * died before telling the cache); and what was quarantined is looked at once more, as its mapping may have
 * been committed while the events were decided.
 */
export async function finishSettled(
  deps: WorkerDeps,
  decisions: readonly Settled[],
  owed: readonly OwedInvalidation[],
): Promise<void> {
  deps.counters.identityConflicts.inc(decisions.filter((one) => one.isContested).length);
  const healed = await Promise.all(decisions.map((one) => healAwaited(deps, one)));
  const touched = decisions.flatMap((one) => one.touched);
  const again = touched.map(
    // Owed by nobody: no stored row has the id 0.
    ({ projectId, userId, version }): OwedInvalidation => ({
      id: 0n,
      projectId,
      userId,
      version: BigInt(version),
    }),
  );
  await settleInvalidations(deps, [...owed, ...again, ...healed.flat()]);
}

async function healAwaited(
  { database, logger }: WorkerDeps,
  { awaited }: Settled,
): Promise<OwedInvalidation[]> {
  if (awaited === null) return [];
  const { customerId, projectId, priceIds } = awaited;
  try {
    const now = await readEventState(database, {
      ...noKeys,
      customerIds: customerId === null ? [] : [customerId],
      projectIds: projectId === null ? [] : [projectId],
      priceIds,
    });
    const customer = [...now.mappings.keys()].find((id) => id === customerId);
    const project = [...now.projects].find((id) => id === projectId);
    const [price] = now.prices;
    if (customer === undefined && project === undefined && price === undefined) return [];
    return await retryOnDeadlock(() =>
      database.$transaction(async (tx) => [
        ...(customer === undefined ? [] : (await healCustomer(tx, customer)).owed),
        ...(project === undefined ? [] : await healProject(tx, project)),
        ...(price === undefined ? [] : await healPrice(tx, price.stripePriceId)),
      ]),
    );
  } catch (error) {
    // The event is recorded; whoever maps it heals it.
    logger.warn('healing_after_quarantine_failed', { error });
    return [];
  }
}
