import { confirmCustomerRequest, confirmedCustomer } from '@billing/domain';
import { confirmCustomer as confirmRow } from '@billing/store';
import { defineEndpoint } from '../../http/define-endpoint.ts';
import { publishChange } from '../publish-change.ts';

export const confirmCustomer = defineEndpoint({
  method: 'post',
  path: '/api/v1/customers/confirm',
  operationId: 'confirmCustomer',
  tag: 'Selling',
  summary: 'Say that a buyer is the user whose id the buyer typed',
  description:
    "For a source whose `owner_source` is `buyer_hint`: a `client_reference_id`, which anybody can type into a Payment Link. Ask the user first. Then the Stripe customer is the user's, with all that it has and buys in this project: it is in the portal and refuses a second sale. What was bought without a customer becomes the user's by itself. Again: the same answer.",
  access: { project: 'checkout' },
  body: { schema: confirmCustomerRequest, example: { user_id: 'user_1', source_id: 'sub_123' } },
  answers: [
    {
      status: 200,
      description: 'Confirmed.',
      schema: confirmedCustomer,
      example: { user_id: 'user_1', source_id: 'sub_123', stripe_customer_id: 'cus_123' },
    },
  ],
  errors: ['source_not_found', 'customer_exists'],
  handle: async (deps, { project: { projectId }, body, actor }) => {
    const { user_id: userId, source_id: sourceId } = body;
    const changed = await confirmRow(deps.database, { projectId, userId, sourceId }, actor);
    const { stripeCustomerId } = await publishChange(deps, changed);
    return { body: { user_id: userId, source_id: sourceId, stripe_customer_id: stripeCustomerId } };
  },
});
