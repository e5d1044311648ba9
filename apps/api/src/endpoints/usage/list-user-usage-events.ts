import { adminUsageEventsQuery } from '@billing/domain';
import { getProject } from '@billing/store';
import { defineEndpoint } from '../../http/define-endpoint.ts';
import { answerEvents, eventsAnswer } from './list-usage-events.ts';

export const listUserUsageEvents = defineEndpoint({
  method: 'get',
  path: '/api/v1/admin/projects/{project_id}/usage/events',
  operationId: 'listUserUsageEvents',
  tag: 'Access',
  summary: 'The events of a user and feature of a project',
  description: 'As `GET /api/v1/usage/events`, without a key of the project.',
  access: { admin: 'viewer' },
  readsReplica: true,
  query: adminUsageEventsQuery,
  answers: [eventsAnswer],
  errors: [],
  handle: async (deps, { params: { project_id: projectId }, query }) => {
    await getProject(deps.database, projectId);
    return answerEvents({ ...deps, database: deps.reader }, projectId, query);
  },
});
