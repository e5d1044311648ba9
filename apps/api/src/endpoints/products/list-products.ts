import { pageQuery, productList } from '@billing/domain';
import { getProject, listProducts as listRows } from '@billing/store';
import { defineEndpoint } from '../../http/define-endpoint.ts';
import { pageExample, presentPage } from '../page.ts';
import { presentProduct, productExample } from './product.ts';

export const listProducts = defineEndpoint({
  method: 'get',
  path: '/api/v1/admin/projects/{project_id}/products',
  operationId: 'listProducts',
  tag: 'Catalog',
  summary: 'List products',
  access: { admin: 'viewer' },
  readsReplica: true,
  query: pageQuery,
  answers: [
    { status: 200, description: 'By id.', schema: productList, example: pageExample(productExample) },
  ],
  errors: ['project_not_found'],
  handle: async ({ database, reader }, { params: { project_id: projectId }, query }) => {
    await getProject(database, projectId);
    return { body: presentPage(await listRows(reader, { projectId, ...query }), presentProduct) };
  },
});
