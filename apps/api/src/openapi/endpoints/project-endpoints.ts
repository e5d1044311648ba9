import {
  apiKeyList,
  createApiKeyRequest,
  createdApiKey,
  createProjectRequest,
  pageQuery,
  patchProjectRequest,
  projectList,
  projectOut,
} from '@billing/domain';
import type { Endpoint } from '../endpoint.ts';
import { apiKeyExample, listExample, projectExample } from './examples.ts';

const base = { tag: 'Projects', access: 'admin' } as const;
const projects = '/api/v1/admin/projects';

export const projectEndpoints: readonly Endpoint[] = [
  {
    ...base,
    method: 'get',
    path: projects,
    operationId: 'listProjects',
    summary: 'List projects',
    query: pageQuery,
    answers: [
      { status: 200, description: 'By id.', schema: projectList, example: listExample(projectExample) },
    ],
    errors: [],
  },
  {
    ...base,
    method: 'post',
    path: projects,
    operationId: 'createProject',
    summary: 'Create a project',
    body: { schema: createProjectRequest, example: { project_id: 'shop', name: 'Shop' } },
    answers: [{ status: 201, description: 'Created.', schema: projectOut, example: projectExample }],
    errors: ['project_exists'],
  },
  {
    ...base,
    method: 'get',
    path: `${projects}/{project_id}`,
    operationId: 'getProject',
    summary: 'Show a project',
    answers: [{ status: 200, description: 'The project.', schema: projectOut, example: projectExample }],
    errors: ['project_not_found'],
  },
  {
    ...base,
    method: 'patch',
    path: `${projects}/{project_id}`,
    operationId: 'patchProject',
    summary: 'Change a project',
    description:
      'What is absent stays. `policy` is merged; `null` resets one of its fields to the default. An empty `redirect_origins` allows every https address.',
    body: {
      schema: patchProjectRequest,
      example: {
        is_active: true,
        policy: { past_due_grace_days: 14, unpaid: null },
        redirect_origins: ['https://app.example.com'],
      },
    },
    answers: [{ status: 200, description: 'Changed.', schema: projectOut, example: projectExample }],
    errors: ['project_not_found'],
  },
  {
    ...base,
    method: 'get',
    path: `${projects}/{project_id}/api-keys`,
    operationId: 'listApiKeys',
    summary: 'List API keys',
    query: pageQuery,
    answers: [
      {
        status: 200,
        description: 'Oldest first, revoked ones too; never the keys themselves.',
        schema: apiKeyList,
        example: listExample(apiKeyExample),
      },
    ],
    errors: ['project_not_found'],
  },
  {
    ...base,
    method: 'post',
    path: `${projects}/{project_id}/api-keys`,
    operationId: 'createApiKey',
    summary: 'Create an API key',
    body: { schema: createApiKeyRequest, example: { name: 'Backend', scopes: ['read', 'checkout'] } },
    answers: [
      {
        status: 201,
        description: 'Created. `api_key` is shown this once.',
        schema: createdApiKey,
        example: {
          ...apiKeyExample,
          last_used_at: null,
          api_key: 'proj_ExampleExampleExampleExampleExample000000',
        },
      },
    ],
    errors: ['project_not_found'],
  },
  {
    ...base,
    method: 'delete',
    path: `${projects}/{project_id}/api-keys/{key_id}`,
    operationId: 'revokeApiKey',
    summary: 'Revoke an API key',
    description: 'In force everywhere within a second. Again: the same answer.',
    answers: [{ status: 204, description: 'Revoked.' }],
    errors: ['api_key_not_found'],
  },
];
