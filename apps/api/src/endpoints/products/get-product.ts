import { getProduct as getRow } from '@billing/store';
import { defineEndpoint } from '../../http/define-endpoint.ts';
import { presentProduct, productAnswer } from './product.ts';

export const getProduct = defineEndpoint({
  method: 'get',
  path: '/api/v1/admin/projects/{project_id}/products/{product_id}',
  operationId: 'getProduct',
  tag: 'Catalog',
  summary: 'Show a product',
  access: { admin: 'viewer' },
  answers: [{ status: 200, ...productAnswer }],
  errors: ['project_not_found', 'product_not_found'],
  handle: async ({ database }, { params: { project_id: projectId, product_id: productId } }) => ({
    body: presentProduct(await getRow(database, { projectId, productId })),
  }),
});
