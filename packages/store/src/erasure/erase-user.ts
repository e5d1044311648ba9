import { ServiceError } from '@billing/domain';
import { writeAudit } from '../audit.ts';
import type { Actor } from '../audit.ts';
import { getProject } from '../catalog/projects.ts';
import type { Changed, PendingInvalidation, UserKey } from '../change-user.ts';
import type { Database, Queries } from '../create-database.ts';
import { isLockNotAvailable } from '../database-errors.ts';
import { noteChanges, noteUsers } from '../dry-run.ts';
import { newRunId } from '../runs/new-run-id.ts';
import { eraseUsageStates } from '../usage/erase-usage.ts';
import { forgetTold } from '../webhooks/forget-user.ts';
import type { ErasureKeys } from './erasure-keys.ts';
import { findBelongings, hasLiveSubscription, lockErasedUser } from './find-belongings.ts';
import type { Belongings, ErasedRow } from './find-belongings.ts';
import { removeBelongings } from './remove-belongings.ts';
import type { ErasedCounts } from './remove-belongings.ts';
import { takeTurnAlone } from './take-turn.ts';
import { writeTombstone } from './write-tombstone.ts';
import type { Tombstone } from './write-tombstone.ts';

export type EraseOrder = UserKey & {
  reason: string;
  /** Whether the user's customers are deleted at Stripe as well. */
  isAtStripe: boolean;
  /** When the user was erased before: a repetition after a restore, whatever the restored subscriptions say. */
  again?: Date;
};

export type ErasedUser = { runId: string };

type Run = { keys: ErasureKeys; order: EraseOrder; actor: Actor; tombstone: Tombstone };

/**
 * The rest is a run of the worker. It holds no id: the worker finds the user by a sealed one, which goes when the run ends
 * (`endRun`), and so do Stripe's ids.
 */
async function createRun(
  tx: Queries,
  { keys, order, actor, tombstone }: Run,
  { belongings, counts }: { belongings: Belongings; counts: ErasedCounts },
): Promise<string> {
  const { projectId, userId, isAtStripe } = order;
  const id = newRunId();
  const own = [...belongings.subscriptions, ...belongings.purchases].filter((one) => !one.isShared);
  const params = {
    digest: tombstone.digest,
    version: String(tombstone.version),
    erased_at: tombstone.erasedAt.toISOString(),
    sealed: keys.seal(userId),
    object_ids: [...own.map((one) => one.id), ...belongings.otherIds],
    customer_ids: belongings.customers.filter((one) => !one.isShared).map((one) => one.id),
    stripe_customer_ids: isAtStripe
      ? belongings.customers.filter((one) => !one.isShared && !one.isDeleted).map((one) => one.id)
      : [],
  };
  await tx.run.create({
    data: { id, kind: 'erase', projectId, params, state: { counts }, requestedBy: actor.name },
  });
  return id;
}

async function invalidate(tx: Queries, user: ErasedRow, version: bigint): Promise<PendingInvalidation[]> {
  if (user.ref === null) return [];
  return tx.$queryRaw<PendingInvalidation[]>`
    INSERT INTO public.cache_invalidations (project_id, user_id, version)
    VALUES (${user.projectId}, ${user.userId}, ${version})
    RETURNING id, project_id AS "projectId", user_id AS "userId", version`;
}

/** Tells a trial what goes: how many rows of each kind. */
function noteCounts(tx: Queries, counts: ErasedCounts, atStripe: number): void {
  for (const [path, before] of Object.entries({ ...counts, customers_at_stripe: atStripe }))
    if (before !== 0) noteChanges(tx, [{ path, before, after: 0 }]);
}

type Erasure = { result: ErasedUser; pending: PendingInvalidation[] };

async function erase(tx: Queries, keys: ErasureKeys, { order, actor }: Ordered): Promise<Erasure> {
  const { projectId, reason, isAtStripe, again } = order;
  await takeTurnAlone(tx);
  const user = await lockErasedUser(tx, order);
  if (again === undefined && (await hasLiveSubscription(tx, user)))
    throw new ServiceError(
      'has_live_subscription',
      'End the subscription first (in the portal or at Stripe), and ask again once its end has arrived.',
    );
  const belongings = await findBelongings(tx, user);
  const tombstone = await writeTombstone(tx, user, { keys, belongings, at: again });
  const counts = await removeBelongings(tx, user, belongings);
  await eraseUsageStates(tx, { ...order, erasedAt: tombstone.erasedAt });
  await forgetTold(tx, order);
  const pending = await invalidate(tx, user, tombstone.version);
  const runId = await createRun(tx, { keys, order, actor, tombstone }, { belongings, counts });
  // The run empties this entry as well, once it is done.
  await writeAudit(tx, {
    actor,
    action: 'user.erase',
    projectId,
    target: { type: 'user', id: order.userId },
    reason,
    details: { run_id: runId, stripe: isAtStripe },
  });
  const atStripe = belongings.customers.filter((one) => !one.isShared && !one.isDeleted).length;
  noteCounts(tx, counts, isAtStripe ? atStripe : 0);
  if (user.ref !== null) noteUsers(tx, [order]);
  return { result: { runId }, pending };
}

type Ordered = { order: EraseOrder; actor: Actor };

const mostTries = 6;

/**
 * Erases a user: all that is the user's goes at once, in one transaction, and a tombstone stays; a run of the worker takes the
 * id out of all that only names it. Throws `erasure_not_configured`, `project_not_found`, `has_live_subscription`. A user
 * whom nobody knows is erased as well: events may be under way.
 */
export async function eraseUser(
  database: Database,
  keys: ErasureKeys,
  ordered: Ordered,
): Promise<Changed<ErasedUser>> {
  if (keys.ids.length === 0)
    throw new ServiceError(
      'erasure_not_configured',
      'Set ERASURE_KEY in API, worker and command line: docs/operations.md, "A user asks to be forgotten".',
    );
  await getProject(database, ordered.order.projectId);
  for (let count = 1; ; count += 1) {
    try {
      return await database.$transaction((tx) => erase(tx, keys, ordered));
    } catch (error) {
      if (!isLockNotAvailable(error) || count === mostTries) throw error;
    }
  }
}
