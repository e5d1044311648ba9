import { ServiceError } from '@billing/domain';
import type { AssignRequest } from '@billing/domain';
import { writeAudit } from '../audit.ts';
import type { Actor } from '../audit.ts';
import { getProject } from '../catalog/projects.ts';
import { soldAs } from '../catalog/sold-as.ts';
import { bumpUsers } from '../change-user.ts';
import type { Changed, UserKey } from '../change-user.ts';
import type { Database, Queries } from '../create-database.ts';
import type { ObjectKey } from '../events/outcomes.ts';
import { Prisma } from '../generated/client.ts';
import { findObject, objectNotFound } from './find-object.ts';
import { withOwnerChanges } from './owner-changes.ts';
import { releaseAgain, releaseByAssignment } from './release-quarantine.ts';
import type { Released } from './release-quarantine.ts';

export type Assigned = {
  object: ObjectKey;
  /** Who had it in that project; null: nobody. */
  previousUserId: string | null;
  released: Released;
};

type Holder = { ref: bigint; userId: string };

/** Who has an object in a project: by the row itself, or beside it. */
async function holderOf(tx: Queries, { kind, id }: ObjectKey, projectId: string): Promise<Holder | null> {
  const objects = Prisma.raw(kind === 'subscription' ? 'subscriptions' : 'purchases');
  const rows = await tx.$queryRaw<Holder[]>`
    SELECT u.id AS ref, u.user_id AS "userId" FROM public.users u
    WHERE u.project_id = ${projectId} AND u.id IN (
      SELECT user_ref FROM ${objects} WHERE id = ${id}
      UNION SELECT user_ref FROM public.object_owners WHERE object_id = ${id})
    LIMIT 1`;
  return rows[0] ?? null;
}

/** Whose the things are that an object sells; null: it sells none that a catalog has. */
type Sold = { isForeign: boolean | null; isOwn: boolean | null };

async function readSold(tx: Queries, { kind, id }: ObjectKey, projectId: string): Promise<Sold | undefined> {
  const items = Prisma.raw(kind === 'subscription' ? 'subscription_items' : 'purchase_items');
  const objectId = Prisma.raw(kind === 'subscription' ? 'subscription_id' : 'purchase_id');
  const [row] = await tx.$queryRaw<Sold[]>`
    SELECT bool_and(coalesce(products.project_id <> ${projectId}, false)) AS "isForeign",
      bool_or(products.project_id = ${projectId}) AS "isOwn"
    FROM ${items} i ${soldAs} WHERE i.${objectId} = ${id}`;
  return row;
}

const priceOfOtherProject = (): ServiceError =>
  new ServiceError(
    'price_of_other_project',
    'Assign it in the project whose catalog has its prices, or map one of them in this project first.',
  );

type By = {
  actor: Actor;
  /** Who is limited to the project meets no object but those that it sells, or that a user of it has. */
  isLimited?: boolean;
};

/**
 * Stores the assignment. The object gets a new row version, so that whoever read it before decides again; returns the
 * user's reference.
 */
export async function setAssignment(
  tx: Queries,
  object: ObjectKey,
  { projectId, userId }: UserKey,
): Promise<bigint> {
  const objects = Prisma.raw(object.kind === 'subscription' ? 'subscriptions' : 'purchases');
  await tx.$executeRaw`
    INSERT INTO public.users (project_id, user_id) VALUES (${projectId}, ${userId})
    ON CONFLICT (project_id, user_id) DO NOTHING`;
  const user = await tx.user.findUniqueOrThrow({ where: { projectId_userId: { projectId, userId } } });
  await tx.$executeRaw`
    INSERT INTO public.object_owners (object_id, project_id, user_ref, source)
    VALUES (${object.id}, ${projectId}, ${user.id}, 'assignment')
    ON CONFLICT (object_id, project_id) DO UPDATE SET user_ref = EXCLUDED.user_ref, source = EXCLUDED.source`;
  await tx.$executeRaw`UPDATE ${objects} SET fence = fence + 1, updated_at = now() WHERE id = ${object.id}`;
  return user.id;
}

async function assign(
  tx: Queries,
  request: AssignRequest,
  { actor, isLimited = false }: By,
): Promise<Assigned> {
  const { project_id: projectId, user_id: userId, reason } = request;
  const object = await findObject(tx, request);
  const before = await holderOf(tx, object, projectId);
  const sold = await readSold(tx, object, projectId);
  if (isLimited && before === null && sold?.isOwn !== true) throw objectNotFound(request);
  if (sold?.isForeign === true) throw priceOfOtherProject();
  const assigned = await withOwnerChanges(tx, { objects: [object], stripeCustomerId: null }, async () => {
    const userRef = await setAssignment(tx, object, { projectId, userId });
    const released = await releaseByAssignment(tx, { projectId, object, cause: 'assigned' });
    const bumped = new Set(released.pending.map((one) => JSON.stringify([one.projectId, one.userId])));
    const concerned = [{ ref: userRef, userId }, ...(before === null ? [] : [before])];
    const missed = concerned.filter((one) => !bumped.has(JSON.stringify([projectId, one.userId])));
    const isChanged = before?.userId !== userId;
    const pending = isChanged
      ? await bumpUsers(
          tx,
          missed.map(({ ref }) => ref),
          'assigned',
        )
      : [];
    return { object, released, pending: [...released.pending, ...pending] };
  });
  const previousUserId = before?.userId ?? null;
  await writeAudit(tx, {
    actor,
    action: 'object.assign',
    projectId,
    target: { type: object.kind, id: object.id },
    reason,
    details: { user_id: userId, previous_user_id: previousUserId },
  });
  return { ...assigned, previousUserId, released: { ...assigned.released, pending: assigned.pending } };
}

/**
 * Gives a subscription or payment to a user, whoever has it and whatever it says: an assignment beats the customer's
 * mapping, which beats metadata, in later events too. Both users' next reads are right. Throws `project_not_found`,
 * `subscription_not_found`, `payment_not_found`, `price_of_other_project`.
 */
export async function assignObject(
  database: Database,
  request: AssignRequest,
  by: By,
): Promise<Changed<Assigned>> {
  await getProject(database, request.project_id);
  const result = await database.$transaction((tx) => assign(tx, request, by));
  const late = await releaseAgain(database, (tx) =>
    releaseByAssignment(tx, { projectId: request.project_id, object: result.object, cause: 'assigned' }),
  );
  return { result, pending: [...result.released.pending, ...late.pending] };
}
