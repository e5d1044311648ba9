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
  access: { admin: 'viewer' },
  query: pageQuery,
  answers: [
    { status: 200, description: 'By id.', schema: projectList, example: pageExample(projectExample) },
  ],
  errors: [],
  handle: async ({ database, config }, { query }) => ({
    body: presentPage(await listRows(database, query), (row) => presentProject(row, config)),
  }),
});
