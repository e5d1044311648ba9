import { ServiceError } from '@billing/domain';
import type { MapCustomerRequest } from '@billing/domain';
import { writeAudit } from '../audit.ts';
import type { Actor } from '../audit.ts';
import { getProject } from '../catalog/projects.ts';
import type { Changed } from '../change-user.ts';
import type { Database, Queries } from '../create-database.ts';
import { isTrial } from '../dry-run.ts';
import { objectsOf } from './move-customer.ts';
import { withOwnerChanges } from './owner-changes.ts';
import { releaseAgain, releaseByMapping } from './release-quarantine.ts';
import type { Released } from './release-quarantine.ts';
import { setMapping } from './set-mapping.ts';
import type { Mapping } from './set-mapping.ts';

export type Mapped = { createdAt: Date; released: Omit<Released, 'pending'> };

type MapInput = {
  projectId: string;
  request: MapCustomerRequest;
  actor: Actor;
  /** An import says when the customer was created. */
  imported?: Pick<Mapping, 'since'>;
};

/**
 * Maps a Stripe customer to a user, and assigns to that user what the customer has of the project. A customer may have
 * a user in each project. Throws `project_not_found`, `customer_exists`: a customer that is mapped stays with its user.
 */
export async function mapCustomer(
  database: Database,
  { projectId, request, actor, imported }: MapInput,
): Promise<Changed<Mapped>> {
  await getProject(database, projectId);
  const { stripe_customer_id: stripeCustomerId, user_id: userId } = request;
  const cause = imported === undefined ? 'mapping' : 'import';
  const customer = { projectId, name: stripeCustomerId, cause } as const;
  const map = async (tx: Queries) => {
    const source = imported === undefined ? 'admin' : 'import';
    const wanted = { projectId, userId, stripeCustomerId, source, ...imported } as const;
    const mapped = await setMapping(tx, wanted);
    if (mapped.before !== null)
      throw new ServiceError(
        'customer_exists',
        'Check the stripe_customer_id: this customer is mapped in the project already. PATCH it to move it to another user.',
      );
    const released = await releaseByMapping(tx, customer);
    await writeAudit(tx, {
      actor,
      action: 'customer.map',
      projectId,
      target: { type: 'customer', id: stripeCustomerId },
      details: { user_id: userId },
    });
    return { createdAt: mapped.createdAt, released };
  };
  const mapping = await database.$transaction(async (tx) => {
    const objects = isTrial(tx) ? await objectsOf(tx, stripeCustomerId) : [];
    return withOwnerChanges(tx, { objects, stripeCustomerId }, () => map(tx));
  });
  const late = await releaseAgain(database, (tx) => releaseByMapping(tx, customer));
  return {
    result: { createdAt: mapping.createdAt, released: sumOf(mapping.released, late) },
    pending: [...mapping.released.pending, ...late.pending],
  };
}

const sumOf = (a: Released, b: Released): Mapped['released'] => ({
  subscriptions: a.subscriptions + b.subscriptions,
  purchases: a.purchases + b.purchases,
  events: a.events + b.events,
});
