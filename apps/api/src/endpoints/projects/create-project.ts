import { createProjectRequest, projectOut } from '@billing/domain';
import { createProject as createRow } from '@billing/store';
import { defineEndpoint } from '../../http/define-endpoint.ts';
import { publishChange } from '../publish-change.ts';
import { presentProject, projectExample } from './project.ts';

export const createProject = defineEndpoint({
  method: 'post',
  path: '/api/v1/admin/projects',
  operationId: 'createProject',
  tag: 'Projects',
  summary: 'Create a project',
  access: { admin: 'admin' },
  takesDryRun: true,
  body: { schema: createProjectRequest, example: { project_id: 'shop', name: 'Shop' } },
  answers: [{ status: 201, description: 'Created.', schema: projectOut, example: projectExample }],
  errors: ['project_exists'],
  handle: async (deps, { body, actor }) => {
    const created = await createRow(deps.database, body, actor);
    return { body: presentProject(await publishChange(deps, created), deps.config) };
  },
});
