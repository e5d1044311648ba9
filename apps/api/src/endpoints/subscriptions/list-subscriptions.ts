import { subscriptionList, subscriptionsQuery } from '@billing/domain';
import { listSubscriptions as listRows } from '@billing/store';
import { defineEndpoint } from '../../http/define-endpoint.ts';
import { presentSubscription, subscriptionExample } from '../../subscriptions/present-subscription.ts';
import { pageExample, presentPage } from '../page.ts';

export const listSubscriptions = defineEndpoint({
  method: 'get',
  path: '/api/v1/subscriptions',
  operationId: 'listSubscriptions',
  tag: 'Subscriptions',
  summary: 'The subscriptions of a user',
  description:
    "Newest first, ended ones too. What only a buyer's hint gives to the user is not among them: confirm the buyer first.",
  access: { project: 'read' },
  query: subscriptionsQuery,
  answers: [
    {
      status: 200,
      description: 'Newest first.',
      schema: subscriptionList,
      example: pageExample(subscriptionExample),
    },
  ],
  errors: [],
  // Of no replica: after a change the next read is right.
  handle: async ({ database }, { project: { projectId }, query }) => {
    const { user_id: userId, ...page } = query;
    return {
      body: presentPage(await listRows(database, { projectId, userId, ...page }), presentSubscription),
    };
  },
});
