import { getFeature as getRow } from '@billing/store';
import { defineEndpoint } from '../../http/define-endpoint.ts';
import { featureAnswer, presentFeature } from './feature.ts';

export const getFeature = defineEndpoint({
  method: 'get',
  path: '/api/v1/admin/projects/{project_id}/features/{feature_code}',
  operationId: 'getFeature',
  tag: 'Catalog',
  summary: 'Show a feature',
  access: { admin: 'viewer' },
  answers: [{ status: 200, ...featureAnswer }],
  errors: ['feature_not_found'],
  handle: async ({ database }, { params: { project_id: projectId, feature_code: featureCode } }) => ({
    body: presentFeature(await getRow(database, { projectId, featureCode })),
  }),
});
