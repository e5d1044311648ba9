import { dayMs, mostTopDays, ServiceError, topUsersOut, topUsersQuery, toTimestamp } from '@billing/domain';
import { getProject, readTopUsers } from '@billing/store';
import { defineEndpoint } from '../../http/define-endpoint.ts';

export const listTopUsers = defineEndpoint({
  method: 'get',
  path: '/api/v1/admin/projects/{project_id}/usage/top-users',
  operationId: 'listTopUsers',
  tag: 'Access',
  summary: 'Who used most of a feature',
  description: `By when it happened; over at most ${mostTopDays} days.`,
  access: { admin: 'viewer' },
  readsReplica: true,
  query: topUsersQuery,
  answers: [
    {
      status: 200,
      description: 'Who used most first.',
      schema: topUsersOut,
      example: {
        feature_code: 'api_calls',
        from: '2026-11-21T10:00:00.000Z',
        to: '2026-11-22T10:00:00.000Z',
        users: 214,
        quantity: 91_840,
        data: [{ user_id: 'user_1', quantity: 12_400, overage: 2_400 }],
      },
    },
  ],
  errors: ['project_not_found'],
  handle: async ({ database, reader, clock }, { params: { project_id: projectId }, query }) => {
    const { feature_code: featureCode, limit, to = clock(), from = to - dayMs } = query;
    if (to - from > mostTopDays * dayMs || from >= to)
      throw new ServiceError('invalid_request', `Ask for at most ${mostTopDays} days.`, {
        errors: [{ path: 'from', message: `must be before \`to\`, by at most ${mostTopDays} days` }],
      });
    await getProject(database, projectId);
    const used = await readTopUsers(reader, { projectId, featureCode, from, to, limit });
    return {
      body: {
        feature_code: featureCode,
        from: toTimestamp(used.from),
        to: toTimestamp(used.to),
        users: used.users,
        quantity: used.quantity,
        data: used.top.map(({ userId, quantity, overage }) => ({ user_id: userId, quantity, overage })),
      },
    };
  },
});
