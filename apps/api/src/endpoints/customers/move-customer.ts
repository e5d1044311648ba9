import { moveCustomerRequest, movedCustomerOut } from '@billing/domain';
import { moveCustomer as moveRow } from '@billing/store';
import { defineEndpoint } from '../../http/define-endpoint.ts';
import { publishChange } from '../publish-change.ts';

export const moveCustomer = defineEndpoint({
  method: 'patch',
  path: '/api/v1/admin/projects/{project_id}/customers/{stripe_customer_id}',
  operationId: 'moveCustomer',
  tag: 'Catalog',
  summary: 'Map a Stripe customer, or move it to another user',
  description:
    "Also of a customer that is known only from its subscriptions and payments. They go to the user, except those that were assigned; both users' next reads are right.",
  access: { admin: 'operator' },
  takesDryRun: true,
  body: {
    schema: moveCustomerRequest,
    example: { user_id: 'user_1', reason: 'Bought with the address of a colleague' },
  },
  answers: [
    {
      status: 200,
      description: 'Moved.',
      schema: movedCustomerOut,
      example: {
        project_id: 'shop',
        user_id: 'user_1',
        stripe_customer_id: 'cus_123',
        created_at: '2026-11-22T10:00:00.000Z',
        previous_user_id: 'user_2',
        healed: { subscriptions: 1, purchases: 0, events: 0 },
      },
    },
  ],
  errors: ['project_not_found', 'customer_not_found'],
  handle: async (deps, { params, body, actor }) => {
    const { project_id: projectId, stripe_customer_id: stripeCustomerId } = params;
    const changed = await moveRow(deps.database, { projectId, stripeCustomerId, request: body, actor });
    const moved = await publishChange(deps, changed);
    const { subscriptions, purchases, events } = moved.released;
    return {
      body: {
        project_id: projectId,
        user_id: body.user_id,
        stripe_customer_id: stripeCustomerId,
        created_at: moved.createdAt.toISOString(),
        previous_user_id: moved.previousUserId,
        healed: { subscriptions, purchases, events },
      },
    };
  },
});
