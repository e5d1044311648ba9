import { featureList, pageQuery } from '@billing/domain';
import { getProject, listFeatures as listRows } from '@billing/store';
import { defineEndpoint } from '../../http/define-endpoint.ts';
import { pageExample, presentPage } from '../page.ts';
import { featureExample, presentFeature } from './feature.ts';

export const listFeatures = defineEndpoint({
  method: 'get',
  path: '/api/v1/admin/projects/{project_id}/features',
  operationId: 'listFeatures',
  tag: 'Catalog',
  summary: 'List features',
  description: 'Those that are described: any other code is boolean.',
  access: { admin: 'viewer' },
  readsReplica: true,
  query: pageQuery,
  answers: [
    { status: 200, description: 'By code.', schema: featureList, example: pageExample(featureExample) },
  ],
  errors: ['project_not_found'],
  handle: async ({ database, reader }, { params: { project_id: projectId }, query }) => {
    await getProject(database, projectId);
    return { body: presentPage(await listRows(reader, { projectId, ...query }), presentFeature) };
  },
});
