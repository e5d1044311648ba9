import {
  bumpHolders,
  releaseForCustomer,
  releaseForPrice,
  releaseForProject,
  readEventState,
  retryOnDeadlock,
  publishInvalidations,
  releaseWaitingEvents,
} from '@billing/store';
import type { PendingInvalidation } from '@billing/store';
import type { SyncDeps } from '../deps.ts';
import type { Billed, Settled } from './decide-object.ts';

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
export async function afterCommit(
  deps: SyncDeps,
  decisions: readonly Settled[],
  pending: readonly PendingInvalidation[],
): Promise<void> {
  deps.counters.identityConflicts.inc(decisions.filter((one) => one.isContested).length);
  const released = await Promise.all(decisions.map((one) => releaseAwaited(deps, one)));
  await releaseEvents(
    deps,
    decisions.flatMap((one) => one.awaitedNames),
  );
  const late = await Promise.all(
    decisions.flatMap((one) => (one.billed === undefined ? [] : [bumpLateHolders(deps, one.billed)])),
  );
  const touched = decisions.flatMap((one) => one.touched);
  const again = touched.map(
    // Owed by nobody: no stored row has the id 0.
    ({ projectId, userId, version }): PendingInvalidation => ({
      id: 0n,
      projectId,
      userId,
      version: BigInt(version),
    }),
  );
  await publishInvalidations(deps, [...pending, ...again, ...released.flat(), ...late.flat()]);
}

/**
 * A subscription whose period the invoice bills may have been committed while its payment was decided: neither
 * saw the other then, so the payment looks again. The cache's own limit bounds what a failure here costs.
 */
export async function bumpLateHolders(
  { database, logger }: SyncDeps,
  { invoiceId, bumped }: Billed,
): Promise<PendingInvalidation[]> {
  if (invoiceId === null) return [];
  try {
    return await retryOnDeadlock(() => bumpHolders(database, { invoiceId, except: bumped }));
  } catch (error) {
    logger.warn('telling_subscribers_failed', { error });
    return [];
  }
}

/**
 * An object that nobody owned got its user from what a later event (or Stripe) said: its events that were
 * quarantined meanwhile wait for nothing any more.
 */
export async function releaseEvents({ database, logger }: SyncDeps, names: readonly string[]): Promise<void> {
  if (names.length === 0) return;
  try {
    await retryOnDeadlock(() => database.$transaction((tx) => releaseWaitingEvents(tx, [...new Set(names)])));
  } catch (error) {
    // The ledger alone is late: the object is its user's already.
    logger.warn('settling_quarantined_events_failed', { error });
  }
}

async function releaseAwaited(
  { database, logger }: SyncDeps,
  { awaited }: Settled,
): Promise<PendingInvalidation[]> {
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
        ...(customer === undefined ? [] : (await releaseForCustomer(tx, customer)).pending),
        ...(project === undefined ? [] : await releaseForProject(tx, project)),
        ...(price === undefined ? [] : await releaseForPrice(tx, price.stripePriceId)),
      ]),
    );
  } catch (error) {
    // The event is recorded; whoever maps it heals it.
    logger.warn('healing_after_quarantine_failed', { error });
    return [];
  }
}
