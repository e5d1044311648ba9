import { ServiceError } from '@billing/domain';
import type { MapCustomerRequest } from '@billing/domain';
import { writeAudit } from '../audit.ts';
import type { Actor } from '../audit.ts';
import { getProject } from '../catalog/projects.ts';
import type { Changed } from '../change-user.ts';
import type { Database } from '../create-database.ts';
import type { Customer } from '../generated/client.ts';
import { releaseAgain, releaseForCustomer } from './release-quarantine.ts';
import type { Released } from './release-quarantine.ts';

export type Mapped = { customer: Customer; released: Omit<Released, 'pending'> };

/**
 * Maps a Stripe customer to a user, and assigns to that user what the customer has. Throws `project_not_found`,
 * `customer_exists`: a customer that is mapped stays with its user.
 */
export async function mapCustomer(
  database: Database,
  { projectId, request, actor }: { projectId: string; request: MapCustomerRequest; actor: Actor },
): Promise<Changed<Mapped>> {
  await getProject(database, projectId);
  const { stripe_customer_id: stripeCustomerId, user_id: userId } = request;
  const { customer, released } = await database.$transaction(async (tx) => {
    await tx.$executeRaw`
        INSERT INTO public.users (project_id, user_id) VALUES (${projectId}, ${userId})
        ON CONFLICT (project_id, user_id) DO NOTHING`;
    const user = await tx.user.findUniqueOrThrow({ where: { projectId_userId: { projectId, userId } } });
    const rows = await tx.$queryRaw<unknown[]>`
        INSERT INTO public.customers (stripe_customer_id, user_ref, source) VALUES (${stripeCustomerId}, ${user.id}, 'admin')
        ON CONFLICT (stripe_customer_id) DO UPDATE SET user_ref = EXCLUDED.user_ref, source = 'admin'
        WHERE customers.user_ref IS NULL
        RETURNING 1`;
    if (rows.length === 0)
      throw new ServiceError(
        'customer_exists',
        'Check the stripe_customer_id: this customer is mapped already, and stays with its user.',
      );
    await writeAudit(tx, {
      actor,
      action: 'customer.map',
      projectId,
      target: { type: 'customer', id: stripeCustomerId },
      details: { user_id: userId },
    });
    const found = await releaseForCustomer(tx, stripeCustomerId);
    return {
      customer: await tx.customer.findUniqueOrThrow({ where: { stripeCustomerId } }),
      released: found,
    };
  });
  const late = await releaseAgain(database, (tx) => releaseForCustomer(tx, stripeCustomerId));
  return {
    result: {
      customer,
      released: {
        subscriptions: released.subscriptions + late.subscriptions,
        purchases: released.purchases + late.purchases,
        events: released.events + late.events,
      },
    },
    pending: [...released.pending, ...late.pending],
  };
}
