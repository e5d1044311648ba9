import { createApiKeyRequest, createdApiKey, ServiceError } from '@billing/domain';
import { createApiKey as createRow } from '@billing/store';
import { defineEndpoint } from '../../http/define-endpoint.ts';
import { apiKeyExample, presentApiKey } from './list-api-keys.ts';

export const createApiKey = defineEndpoint({
  method: 'post',
  path: '/api/v1/admin/projects/{project_id}/api-keys',
  operationId: 'createApiKey',
  tag: 'Projects',
  summary: 'Create an API key',
  access: { admin: 'admin' },
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
  handle: async ({ database, clock }, { params: { project_id: projectId }, body, actor }) => {
    if (body.expires_at !== undefined && body.expires_at <= clock()) throw expiresTooEarly();
    const { key, secret } = await createRow(database, { projectId, request: body, actor });
    return { body: { ...presentApiKey(key), api_key: secret } };
  },
});

const expiresTooEarly = (): ServiceError =>
  new ServiceError('invalid_request', 'Choose an expires_at in the future, or none.', {
    errors: [{ path: 'expires_at', message: 'must be in the future' }],
  });
