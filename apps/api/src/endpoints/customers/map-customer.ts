import { customerOut, mapCustomerRequest } from '@billing/domain';
import { mapCustomer as mapRow } from '@billing/store';
import { defineEndpoint } from '../../http/define-endpoint.ts';
import { publishChange } from '../publish-change.ts';

export const mapCustomer = defineEndpoint({
  method: 'post',
  path: '/api/v1/admin/projects/{project_id}/customers',
  operationId: 'mapCustomer',
  tag: 'Catalog',
  summary: 'Say whose a Stripe customer is',
  description:
    'Releases what was quarantined because the customer was not known in this project, with no call to Stripe. A customer has one user in a project, and may have another one in each other project.',
  access: { admin: 'operator' },
  takesDryRun: true,
  body: { schema: mapCustomerRequest, example: { user_id: 'user_1', stripe_customer_id: 'cus_123' } },
  answers: [
    {
      status: 201,
      description: 'Mapped.',
      schema: customerOut,
      example: {
        project_id: 'shop',
        user_id: 'user_1',
        stripe_customer_id: 'cus_123',
        created_at: '2026-11-22T10:00:00.000Z',
        healed: { subscriptions: 1, purchases: 0, events: 3 },
      },
    },
  ],
  errors: ['project_not_found', 'customer_exists'],
  handle: async (deps, { params: { project_id: projectId }, body, actor }) => {
    const changed = await mapRow(deps.database, { projectId, request: body, actor });
    const { createdAt, released } = await publishChange(deps, changed);
    const { subscriptions, purchases, events } = released;
    return {
      body: {
        project_id: projectId,
        user_id: body.user_id,
        stripe_customer_id: body.stripe_customer_id,
        created_at: createdAt.toISOString(),
        healed: { subscriptions, purchases, events },
      },
    };
  },
});
