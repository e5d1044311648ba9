import { pageQuery, projectList } from '@billing/domain';
import { listProjects as listRows } from '@billing/store';
import { defineEndpoint } from '../../http/define-endpoint.ts';
import { pageExample, presentPage } from '../page.ts';
import { presentProject, projectExample } from './project.ts';

export const listProjects = defineEndpoint({
  method: 'get',
  path: '/api/v1/admin/projects',
  operationId: 'listProjects',
  tag: 'Projects',
  summary: 'List projects',
  description: 'A name that is limited to a project sees that one.',
  access: { admin: 'viewer', limitedBy: 'handler' },
  readsReplica: true,
  query: pageQuery,
  answers: [
    { status: 200, description: 'By id.', schema: projectList, example: pageExample(projectExample) },
  ],
  errors: [],
  handle: async ({ reader, config }, { query, onlyProject }) => ({
    body: presentPage(await listRows(reader, { ...query, onlyProject }), (row) =>
      presentProject(row, config),
    ),
  }),
});
