import { projectOut } from '@billing/domain';
import { getProject as getRow } from '@billing/store';
import { defineEndpoint } from '../../http/define-endpoint.ts';
import { presentProject, projectExample } from './project.ts';

export const getProject = defineEndpoint({
  method: 'get',
  path: '/api/v1/admin/projects/{project_id}',
  operationId: 'getProject',
  tag: 'Projects',
  summary: 'Show a project',
  access: { admin: 'viewer' },
  answers: [{ status: 200, description: 'The project.', schema: projectOut, example: projectExample }],
  errors: ['project_not_found'],
  handle: async ({ database, config }, { params }) => ({
    body: presentProject(await getRow(database, params.project_id), config),
  }),
});
