import { ServiceError } from '@billing/domain';
import type { MoveCustomerRequest } from '@billing/domain';
import { writeAudit } from '../audit.ts';
import type { Actor } from '../audit.ts';
import { getProject } from '../catalog/projects.ts';
import type { Changed } from '../change-user.ts';
import type { Database, Queries } from '../create-database.ts';
import type { ObjectKey } from '../events/outcomes.ts';
import { withOwnerChanges } from './owner-changes.ts';
import { releaseAgain, releaseByMapping } from './release-quarantine.ts';
import type { Released } from './release-quarantine.ts';
import { setMapping } from './set-mapping.ts';

export type Moved = {
  createdAt: Date;
  /** Null: the customer had no user in the project. */
  previousUserId: string | null;
  released: Released;
};

type MoveInput = {
  projectId: string;
  stripeCustomerId: string;
  request: MoveCustomerRequest;
  actor: Actor;
};

/** All objects of a customer. */
export const objectsOf = (tx: Queries, stripeCustomerId: string): Promise<ObjectKey[]> =>
  tx.$queryRaw<ObjectKey[]>`
    SELECT 'subscription' AS kind, id FROM public.subscriptions WHERE stripe_customer_id = ${stripeCustomerId}
    UNION ALL
    SELECT 'purchase', id FROM public.purchases WHERE stripe_customer_id = ${stripeCustomerId}`;

/** The user who lost a customer gets a new one at the next checkout: Stripe's idempotency key would give it back. */
const forgetCustomer = (tx: Queries, userRef: bigint): Promise<unknown> =>
  tx.$executeRaw`UPDATE public.users SET customer_attempt = customer_attempt + 1 WHERE id = ${userRef}`;

async function move(tx: Queries, { projectId, stripeCustomerId, request, actor }: MoveInput): Promise<Moved> {
  const { user_id: userId, reason } = request;
  const objects = await objectsOf(tx, stripeCustomerId);
  if (objects.length === 0 && (await tx.customer.count({ where: { stripeCustomerId } })) === 0)
    throw new ServiceError(
      'customer_not_found',
      'Use the id of a Stripe customer that is mapped, or has a subscription or payment here.',
    );
  const moved = await withOwnerChanges(tx, { objects, stripeCustomerId }, async () => {
    const mapping = { projectId, userId, stripeCustomerId, source: 'admin' } as const;
    const { createdAt, before } = await setMapping(tx, mapping);
    const previousUserId = before?.userId ?? null;
    if (before !== null && before.userId !== userId) await forgetCustomer(tx, before.ref);
    const released = await releaseByMapping(tx, { projectId, name: stripeCustomerId, cause: 'moved' });
    return { createdAt, previousUserId, released, pending: released.pending };
  });
  await writeAudit(tx, {
    actor,
    action: 'customer.move',
    projectId,
    target: { type: 'customer', id: stripeCustomerId },
    reason,
    details: { user_id: userId, previous_user_id: moved.previousUserId },
  });
  return moved;
}

/**
 * Maps a Stripe customer to a user of a project, or moves it there from another one; so do its objects that nobody
 * assigned. Both users' next reads are right. Throws `project_not_found`, `customer_not_found`: nothing here names it.
 */
export async function moveCustomer(database: Database, input: MoveInput): Promise<Changed<Moved>> {
  await getProject(database, input.projectId);
  const customer = { projectId: input.projectId, name: input.stripeCustomerId, cause: 'moved' } as const;
  const result = await database.$transaction((tx) => move(tx, input));
  const late = await releaseAgain(database, (tx) => releaseByMapping(tx, customer));
  return { result, pending: [...result.released.pending, ...late.pending] };
}
