import { createFeatureRequest } from '@billing/domain';
import { createFeature as createRow } from '@billing/store';
import { defineEndpoint } from '../../http/define-endpoint.ts';
import { publishChange } from '../publish-change.ts';
import { featureAnswer, presentFeature } from './feature.ts';

export const createFeature = defineEndpoint({
  method: 'post',
  path: '/api/v1/admin/projects/{project_id}/features',
  operationId: 'createFeature',
  tag: 'Catalog',
  summary: 'Describe a feature',
  description:
    'Says what a code stands for: `boolean` (the user has it or not), `limit` (how many at once) or `metered` (an allowance that is used up). A code that is not described is boolean; one that is sold or granted already cannot become anything else.',
  access: { admin: 'admin' },
  takesDryRun: true,
  body: {
    schema: createFeatureRequest,
    example: {
      feature_code: 'api_calls',
      name: 'API calls',
      kind: 'metered',
      unit: 'call',
      thresholds: [80, 100],
    },
  },
  answers: [{ status: 201, ...featureAnswer }],
  errors: ['project_not_found', 'feature_exists', 'feature_in_use'],
  handle: async (deps, { params: { project_id: projectId }, body, actor }) => {
    const created = await createRow(deps.database, { projectId, request: body, actor });
    return { body: presentFeature(await publishChange(deps, created)) };
  },
});
