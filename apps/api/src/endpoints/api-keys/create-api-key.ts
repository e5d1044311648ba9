import { createApiKeyRequest, createdApiKey, ServiceError } from '@billing/domain';
import type { Instant } from '@billing/domain';
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
  takesDryRun: true,
  body: {
    schema: createApiKeyRequest,
    example: { name: 'Backend', scopes: ['read', 'checkout'], allowed_ips: ['192.0.2.0/24'] },
  },
  answers: [
    {
      status: 201,
      description: 'Created. `api_key` is shown this once.',
      schema: createdApiKey,
      example: {
        ...apiKeyExample,
        scopes: ['read', 'checkout'],
        allowed_ips: ['192.0.2.0/24'],
        last_used_at: null,
        api_key: 'proj_ExampleExampleExampleExampleExample000000',
      },
    },
  ],
  errors: ['project_not_found'],
  handle: async ({ database, clock }, { params: { project_id: projectId }, body, actor }) => {
    requireFutureEnd(body, clock());
    const { key, secret } = await createRow(database, { projectId, request: body, actor });
    return { body: { ...presentApiKey(key), api_key: secret } };
  },
});

/** Throws `invalid_request` for an `expires_at` that is over. */
export function requireFutureEnd(
  { expires_at: endsAt }: { expires_at?: Instant | undefined },
  now: Instant,
): void {
  if (endsAt === undefined || endsAt > now) return;
  throw new ServiceError('invalid_request', 'Choose an expires_at in the future, or none.', {
    errors: [{ path: 'expires_at', message: 'must be in the future' }],
  });
}
