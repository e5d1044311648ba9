import { changeRequest } from '@billing/domain';
import { defineEndpoint } from '../../http/define-endpoint.ts';
import { changeItems } from '../../subscriptions/change-items.ts';
import { changedAnswer, changeErrors, changeHeaders } from './changed-answer.ts';
import { wantedErrors } from './preview-change.ts';

export const changeSubscription = defineEndpoint({
  method: 'post',
  path: '/api/v1/subscriptions/{subscription_id}/change',
  operationId: 'changeSubscription',
  tag: 'Subscriptions',
  summary: 'Change the plan, the quantity, the add-ons',
  description:
    'Now, or at the end of the period: then it is shown as `pending_change`. A change that was planned before is replaced; asking for what is there drops it. A payment that fails leaves the old plan in force: 402 with the page to pay on. Where invoices are sent, the change is made and its invoice sent.',
  access: { project: 'checkout' },
  headers: changeHeaders,
  body: {
    schema: changeRequest,
    example: { items: [{ price_id: 'premium_monthly', quantity: 1 }] },
  },
  answers: [changedAnswer({})],
  errors: [...changeErrors, ...wantedErrors, 'preview_outdated', 'payment_required'],
  handle: async (deps, { project: { projectId }, params, body, header, actor }) => {
    const { items, effective, proration, preview_token: previewToken } = body;
    const asker = {
      projectId,
      subscriptionId: params.subscription_id,
      actor,
      header: header('idempotency-key'),
    };
    const wanted = { items, effective, proration };
    return { body: await changeItems(deps, asker, { wanted, previewToken }) };
  },
});
