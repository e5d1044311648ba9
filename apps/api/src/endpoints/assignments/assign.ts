import { assignRequest, assignedOut } from '@billing/domain';
import { assignObject } from '@billing/store';
import { defineEndpoint } from '../../http/define-endpoint.ts';
import { publishChange } from '../publish-change.ts';

export const assign = defineEndpoint({
  method: 'post',
  path: '/api/v1/admin/assign',
  operationId: 'assignObject',
  tag: 'Catalog',
  summary: 'Give a subscription or a payment to a user',
  description:
    "For what belongs to nobody, or to the wrong user. An assignment beats the customer's mapping, which beats what metadata says, in later events too. Both users' next reads are right.",
  access: { admin: 'operator', limitedBy: 'body' },
  takesDryRun: true,
  body: {
    schema: assignRequest,
    example: {
      subscription_id: 'sub_123',
      project_id: 'shop',
      user_id: 'user_1',
      reason: 'Bought as a guest, support case 4711',
    },
  },
  answers: [
    {
      status: 200,
      description: 'Assigned.',
      schema: assignedOut,
      example: {
        source: 'subscription',
        source_id: 'sub_123',
        project_id: 'shop',
        user_id: 'user_1',
        previous_user_id: null,
        released_events: 2,
      },
    },
  ],
  errors: ['project_not_found', 'subscription_not_found', 'payment_not_found', 'price_of_other_project'],
  handle: async (deps, { body, actor, onlyProject }) => {
    const by = { actor, isLimited: onlyProject !== null };
    const assigned = await publishChange(deps, await assignObject(deps.database, body, by));
    return {
      body: {
        source: assigned.object.kind,
        source_id: assigned.object.id,
        project_id: body.project_id,
        user_id: body.user_id,
        previous_user_id: assigned.previousUserId,
        released_events: assigned.released.events,
      },
    };
  },
});
