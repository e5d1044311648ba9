import { adminCheckQuery } from '@billing/domain';
import { getProject } from '@billing/store';
import { checkEndsAt } from '../../entitlements/fresh-reads.ts';
import { defineEndpoint } from '../../http/define-endpoint.ts';
import { checkText } from '../../usage/check-usage.ts';
import { answerCheck, checkAnswer } from './check-usage.ts';

export const checkUserUsage = defineEndpoint({
  method: 'get',
  path: '/api/v1/admin/projects/{project_id}/usage/check',
  operationId: 'checkUserUsage',
  tag: 'Access',
  summary: "What a project's check of a user answers",
  description: 'As `GET /api/v1/check`, without a key of the project.',
  access: { admin: 'viewer' },
  query: adminCheckQuery,
  answers: [checkAnswer],
  errors: [],
  handle: async (deps, { params: { project_id: projectId }, query }) => {
    await getProject(deps.database, projectId);
    const checked = await answerCheck(deps, projectId, { query, endsAt: checkEndsAt() });
    return { text: checkText(checked, deps.clock()), headers: { 'x-cache': checked.cache } };
  },
});
