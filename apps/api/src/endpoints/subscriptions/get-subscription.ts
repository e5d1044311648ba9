import { subscriptionOut } from '@billing/domain';
import { defineEndpoint } from '../../http/define-endpoint.ts';
import { findSubscription } from '../../subscriptions/find-subscription.ts';
import { presentSubscription, subscriptionExample } from '../../subscriptions/present-subscription.ts';

export const getSubscription = defineEndpoint({
  method: 'get',
  path: '/api/v1/subscriptions/{subscription_id}',
  operationId: 'getSubscription',
  tag: 'Subscriptions',
  summary: 'One subscription',
  access: { project: 'read' },
  answers: [
    { status: 200, description: 'As it is now.', schema: subscriptionOut, example: subscriptionExample },
  ],
  errors: ['subscription_not_found'],
  handle: async (deps, { project: { projectId }, params: { subscription_id: subscriptionId } }) => ({
    body: presentSubscription(await findSubscription(deps, { projectId, subscriptionId })),
  }),
});
