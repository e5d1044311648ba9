import { namedUsers } from '@billing/domain';
import type { Cause } from '@billing/domain';
import {
  bumpHolders,
  objectKeyOf,
  publishInvalidations,
  releaseForObject,
  writeOutcomes,
} from '@billing/store';
import type { LedgerStatus, Outcome, PendingInvalidation } from '@billing/store';
import type { SyncDeps, WriteDeps } from '../deps.ts';
import { namesErased, toErased, toLedger } from './plan-write.ts';
import type { WritePlan } from './plan-write.ts';
import { noKeys } from './decide-events.ts';
import { readState } from './read-state.ts';
import type { ReceivedEvent } from './target.ts';

/** Only rows that other writers change as well are guarded by a row version. */
const isGuarded = (outcome: Outcome): boolean =>
  outcome.kind === 'subscription' || outcome.kind === 'purchase';

const earliestMark = (plans: readonly WritePlan[]): number =>
  Math.min(...plans.map((plan) => plan.erasureMark));

/**
 * Writes plans by one statement and does what follows the commit. Returns those that were written: the others' rows
 * have changed since they were read, or a user was erased since. `cause`: of what no event brings, as products are told.
 */
export async function writePlans<P extends WritePlan>(
  deps: WriteDeps,
  plans: readonly P[],
  cause: Cause | null = null,
): Promise<P[]> {
  const outcomes = plans.flatMap(({ outcome }) => outcome ?? []);
  const { isCurrent, written, pending } =
    outcomes.length === 0
      ? { isCurrent: true, written: new Set<string>(), pending: [] }
      : await writeOutcomes(deps.database, outcomes, { erasureMark: earliestMark(plans), cause });
  if (!isCurrent) return [];
  const isWritten = ({ outcome }: WritePlan): boolean =>
    outcome === null || !isGuarded(outcome) || written.has(objectKeyOf(outcome) ?? '');
  const done = plans.filter(isWritten);
  await afterCommit(deps, done, { pending, cause });
  return done;
}

/**
 * After the commit: quarantine is looked at once more, as a mapping may have been committed while the events were
 * decided; then invalidations are published, also where an event was stale or known, as the process that wrote it may
 * have died before it published.
 */
async function afterCommit(
  deps: WriteDeps,
  plans: readonly WritePlan[],
  { pending, cause }: { pending: readonly PendingInvalidation[]; cause: Cause | null },
): Promise<void> {
  deps.counters.identityConflicts.inc(plans.filter((plan) => plan.isContested).length);
  const released = await Promise.all(plans.map((plan) => review(deps, plan)));
  const late = await Promise.all(plans.map((plan) => bumpLateHolders(deps, plan, cause)));
  const republished = plans
    .flatMap((plan) => plan.republish)
    .map(
      // In no outbox: no stored row has the id 0.
      ({ projectId, userId, version }): PendingInvalidation => ({
        id: 0n,
        projectId,
        userId,
        version: BigInt(version),
      }),
    );
  await publishInvalidations(deps, [...pending, ...republished, ...released.flat(), ...late.flat()]);
}

/**
 * An object for which a payment matters may have been committed while the payment was decided: neither saw the other
 * then, so the payment looks again. The cache's time limit bounds what a failure here costs.
 */
async function bumpLateHolders(
  { database, logger }: WriteDeps,
  { related: { objectIds, bumped }, outcome }: WritePlan,
  given: Cause | null,
): Promise<PendingInvalidation[]> {
  if (objectIds.length === 0) return [];
  const [event] = outcome?.events ?? [];
  const cause: Cause | null = event === undefined ? given : `stripe_event:${event.eventId}`;
  try {
    return await bumpHolders(database, { objectIds, except: bumped, cause });
  } catch (error) {
    logger.warn('subscribers_not_bumped', { error });
    return [];
  }
}

/** Looks at the quarantine of a plan's object once more. */
async function review({ database, logger }: WriteDeps, plan: WritePlan): Promise<PendingInvalidation[]> {
  const object = plan.review;
  if (object === null) return [];
  try {
    const { pending } = await database.$transaction((tx) => releaseForObject(tx, object, 'mapping'));
    return pending;
  } catch (error) {
    // The event is recorded; the mapping itself releases it.
    logger.warn('quarantine_not_released', { error });
    return [];
  }
}

const mostTries = 5;

/** Records an event in the ledger without applying it. */
export async function recordEvent(
  deps: SyncDeps,
  received: ReceivedEvent,
  result: { status: LedgerStatus; reason: string },
): Promise<void> {
  const named = namedUsers(received.payload);
  const userIds = named.map((one) => one.userId);
  const projectIds = named.flatMap((one) => one.projectId ?? []);
  for (let count = 1; ; count += 1) {
    const state = await readState(deps, { ...noKeys, userIds, projectIds });
    const read = { state, now: deps.clock() };
    const row = namesErased(received, { state, projectId: null })
      ? toErased(received, read)
      : toLedger(received, { ...result, awaits: null, projectId: null }, read);
    const { isCurrent } = await writeOutcomes(deps.database, [{ kind: 'none', events: [row] }], {
      erasureMark: state.erasureMark,
    });
    if (isCurrent) return;
    if (count === mostTries) throw new Error('users were erased in each try to record an event');
  }
}
