import { getPrice as getRow } from '@billing/store';
import { defineEndpoint } from '../../http/define-endpoint.ts';
import { presentPrice, priceAnswer } from './price.ts';

export const getPrice = defineEndpoint({
  method: 'get',
  path: '/api/v1/admin/projects/{project_id}/prices/{price_id}',
  operationId: 'getPrice',
  tag: 'Catalog',
  summary: 'Show a price',
  access: { admin: 'viewer' },
  answers: [{ status: 200, ...priceAnswer }],
  errors: ['project_not_found', 'price_not_found'],
  handle: async ({ database }, { params: { project_id: projectId, price_id: priceId } }) => ({
    body: presentPrice(await getRow(database, { projectId, priceId })),
  }),
});
