import { pageQuery, priceList } from '@billing/domain';
import { getProject, listPrices as listRows } from '@billing/store';
import { defineEndpoint } from '../../http/define-endpoint.ts';
import { pageExample, presentPage } from '../page.ts';
import { presentPrice, priceExample } from './price.ts';

export const listPrices = defineEndpoint({
  method: 'get',
  path: '/api/v1/admin/projects/{project_id}/prices',
  operationId: 'listPrices',
  tag: 'Catalog',
  summary: 'List prices',
  access: { admin: 'viewer' },
  readsReplica: true,
  query: pageQuery,
  answers: [{ status: 200, description: 'By id.', schema: priceList, example: pageExample(priceExample) }],
  errors: ['project_not_found'],
  handle: async ({ database, reader }, { params: { project_id: projectId }, query }) => {
    await getProject(database, projectId);
    return { body: presentPage(await listRows(reader, { projectId, ...query }), presentPrice) };
  },
});
