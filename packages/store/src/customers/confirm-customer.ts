import { ServiceError } from '@billing/domain';
import type { ClaimedUserSource, OwnerSource } from '@billing/domain';
import { writeAudit } from '../audit.ts';
import type { Actor } from '../audit.ts';
import type { Changed, UserKey } from '../change-user.ts';
import type { Database, Queries } from '../create-database.ts';
import { setAssignment } from './assign-object.ts';
import { ownerSourceSql } from './owner-source.ts';
import { releaseAgain, releaseByAssignment, releaseByMapping } from './release-quarantine.ts';
import type { Released } from './release-quarantine.ts';
import { setMapping } from './set-mapping.ts';

export type Confirmation = UserKey & { sourceId: string };

export type Confirmed = {
  /** The customer that is the user's now; null: the source has none, and is assigned. */
  stripeCustomerId: string | null;
};

/** A source in a project, as `explain` shows it, and what it says of its owner itself. */
type FoundSource = {
  kind: 'subscription' | 'purchase';
  stripeCustomerId: string | null;
  ownerId: string;
  ownerSource: OwnerSource;
  claimedUserId: string | null;
  claimedUserSource: ClaimedUserSource | null;
};

async function findSource(
  tx: Queries,
  { projectId, sourceId }: Confirmation,
): Promise<FoundSource | undefined> {
  const [found] = await tx.$queryRaw<FoundSource[]>`
    SELECT 'subscription' AS kind, s.stripe_customer_id AS "stripeCustomerId", users.user_id AS "ownerId",
      ${ownerSourceSql('s')} AS "ownerSource", s.claimed_user_id AS "claimedUserId",
      s.claimed_user_source AS "claimedUserSource"
    FROM public.subscriptions s JOIN public.users ON users.project_id = ${projectId} AND (users.id = s.user_ref
      OR users.id IN (SELECT o.user_ref FROM public.object_owners o WHERE o.object_id = s.id))
    WHERE s.id = ${sourceId}
    UNION ALL
    SELECT 'purchase', p.stripe_customer_id, users.user_id, ${ownerSourceSql('p')}, p.claimed_user_id, p.claimed_user_source
    FROM public.purchases p JOIN public.users ON users.project_id = ${projectId} AND (users.id = p.user_ref
      OR users.id IN (SELECT o.user_ref FROM public.object_owners o WHERE o.object_id = p.id))
    WHERE p.id = ${sourceId} AND p.invoice_id IS NULL AND (p.session_id IS NOT NULL OR p.status <> 'pending')
    LIMIT 1`;
  return found;
}

const sourceNotFound = (): ServiceError =>
  new ServiceError(
    'source_not_found',
    "Send the source_id of a source that the user's explanation shows with the owner_source buyer_hint.",
  );

const mappedToOther = (): ServiceError =>
  new ServiceError(
    'customer_exists',
    'The Stripe customer is mapped to another user of this project: an administrator can move it, or assign the source.',
  );

/**
 * The source that a buyer's hint gives to the user, or gave before it was confirmed. Throws `source_not_found`, and
 * `customer_exists` where our mapping gives it to another user.
 */
async function requireHinted(tx: Queries, confirmation: Confirmation): Promise<FoundSource> {
  const { userId } = confirmation;
  const found = await findSource(tx, confirmation);
  const isNamed =
    found !== undefined &&
    found.claimedUserSource !== 'metadata' &&
    (found.claimedUserId ?? found.ownerId) === userId;
  if (!isNamed) throw sourceNotFound();
  if (found.ownerId === userId) return found;
  throw found.ownerSource === 'mapping' ? mappedToOther() : sourceNotFound();
}

type Change = Confirmed & { release: ((tx: Queries) => Promise<Released>) | null };

/** Maps the customer, or assigns what has none. Nothing where the customer was mapped to the user meanwhile. */
async function confirm(tx: Queries, confirmation: Confirmation, source: FoundSource): Promise<Change> {
  const { projectId, userId, sourceId: id } = confirmation;
  const { kind, stripeCustomerId } = source;
  if (stripeCustomerId === null) {
    const object = { kind, id };
    await setAssignment(tx, object, { projectId, userId });
    return {
      stripeCustomerId,
      release: (then) => releaseByAssignment(then, { projectId, object, cause: 'mapping' }),
    };
  }
  const { before } = await setMapping(tx, { projectId, userId, stripeCustomerId, source: 'confirm' });
  if (before !== null && before.userId !== userId) throw mappedToOther();
  if (before !== null) return { stripeCustomerId, release: null };
  return {
    stripeCustomerId,
    release: (then) => releaseByMapping(then, { projectId, name: stripeCustomerId, cause: 'mapping' }),
  };
}

/**
 * A project's word that the buyer who typed a user's id is that user: the source's customer is mapped to the user, as if
 * an operator had done it; a source without customer is assigned. Again: changes nothing. Throws `source_not_found`,
 * `customer_exists`.
 */
export async function confirmCustomer(
  database: Database,
  confirmation: Confirmation,
  actor: Actor,
): Promise<Changed<Confirmed>> {
  const { projectId, userId, sourceId } = confirmation;
  const { stripeCustomerId, release, pending } = await database.$transaction(async (tx) => {
    const source = await requireHinted(tx, confirmation);
    if (source.ownerSource !== 'buyer_hint')
      return { stripeCustomerId: source.stripeCustomerId, release: null, pending: [] };
    const change = await confirm(tx, confirmation, source);
    if (change.release === null) return { ...change, pending: [] };
    await writeAudit(tx, {
      actor,
      action: 'customer.confirm',
      projectId,
      target:
        change.stripeCustomerId === null
          ? { type: source.kind, id: sourceId }
          : { type: 'customer', id: change.stripeCustomerId },
      details: { user_id: userId, source_id: sourceId },
    });
    return { ...change, pending: (await change.release(tx)).pending };
  });
  const late = release === null ? [] : (await releaseAgain(database, release)).pending;
  return { result: { stripeCustomerId }, pending: [...pending, ...late] };
}
