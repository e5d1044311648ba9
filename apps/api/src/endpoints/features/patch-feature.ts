import { patchFeatureRequest } from '@billing/domain';
import { patchFeature as patchRow } from '@billing/store';
import { defineEndpoint } from '../../http/define-endpoint.ts';
import { publishChange } from '../publish-change.ts';
import { featureAnswer, presentFeature } from './feature.ts';

export const patchFeature = defineEndpoint({
  method: 'patch',
  path: '/api/v1/admin/projects/{project_id}/features/{feature_code}',
  operationId: 'patchFeature',
  tag: 'Catalog',
  summary: 'Change a feature',
  description:
    '`kind` and `counted` only while no product (archived ones too) and no grant that has not ended has the code. Thresholds, a level and a meter that do not go with another kind leave with the old one.',
  access: { admin: 'admin' },
  takesDryRun: true,
  body: { schema: patchFeatureRequest, example: { name: 'Calls of the API', thresholds: [50, 80, 100] } },
  answers: [{ status: 200, ...featureAnswer }],
  errors: ['project_not_found', 'feature_not_found', 'feature_in_use'],
  handle: async (deps, { params, body: patch, actor }) => {
    const key = { projectId: params.project_id, featureCode: params.feature_code };
    const changed = await patchRow(deps.database, { key, patch, actor });
    return { body: presentFeature(await publishChange(deps, changed)) };
  },
});
