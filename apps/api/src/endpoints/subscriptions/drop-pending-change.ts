import { defineEndpoint } from '../../http/define-endpoint.ts';
import { dropChange } from '../../subscriptions/change-items.ts';
import { changedAnswer, changeErrors, changeHeaders } from './changed-answer.ts';

export const dropPendingChange = defineEndpoint({
  method: 'delete',
  path: '/api/v1/subscriptions/{subscription_id}/pending-change',
  operationId: 'dropPendingChange',
  tag: 'Subscriptions',
  summary: 'Give up a change that is still to come',
  description:
    'One that was planned for the end of the period, and one that waits for its payment, whose invoice is voided; also the resumption of a `paused` subscription. What is in force stays.',
  access: { project: 'checkout' },
  headers: changeHeaders,
  answers: [changedAnswer({})],
  errors: [...changeErrors, 'shared_subscription', 'no_pending_change'],
  handle: async (deps, { project: { projectId }, params, header, actor }) => {
    const asker = {
      projectId,
      subscriptionId: params.subscription_id,
      actor,
      header: header('idempotency-key'),
    };
    return { body: await dropChange(deps, asker) };
  },
});
