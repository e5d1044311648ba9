import { adminUsageSeriesQuery } from '@billing/domain';
import { defineEndpoint } from '../../http/define-endpoint.ts';
import { answerSeries, seriesAnswer } from './get-usage.ts';

export const getUserUsage = defineEndpoint({
  method: 'get',
  path: '/api/v1/admin/projects/{project_id}/usage',
  operationId: 'getUserUsage',
  tag: 'Access',
  summary: 'What a user of a project used of a feature',
  description: 'As `GET /api/v1/usage`, without a key of the project.',
  access: { admin: 'viewer' },
  query: adminUsageSeriesQuery,
  answers: [seriesAnswer],
  errors: [],
  handle: (deps, { params: { project_id: projectId }, query }) => answerSeries(deps, projectId, query),
});
