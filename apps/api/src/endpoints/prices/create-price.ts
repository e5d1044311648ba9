import { createPriceRequest } from '@billing/domain';
import { createPrice as createRow } from '@billing/store';
import { defineEndpoint } from '../../http/define-endpoint.ts';
import { publishChange } from '../publish-change.ts';
import { presentPrice, priceAnswer } from './price.ts';

export const createPrice = defineEndpoint({
  method: 'post',
  path: '/api/v1/admin/projects/{project_id}/prices',
  operationId: 'createPrice',
  tag: 'Catalog',
  summary: 'Map a Stripe price',
  description: 'Releases events that were quarantined because the price was not known.',
  access: { admin: 'admin' },
  body: {
    schema: createPriceRequest,
    example: {
      price_id: 'premium_monthly',
      product_id: 'premium',
      stripe_price_id: 'price_123',
      amount: 1000,
      currency: 'usd',
      interval: 'month',
    },
  },
  answers: [{ status: 201, ...priceAnswer }],
  errors: ['project_not_found', 'product_not_found', 'price_exists'],
  handle: async (deps, { params: { project_id: projectId }, body, actor }) => {
    const created = await createRow(deps.database, { projectId, request: body, actor });
    return { body: presentPrice(await publishChange(deps, created)) };
  },
});
