import { rotateApiKeyRequest, rotatedApiKey } from '@billing/domain';
import { rotateApiKey as rotateRow } from '@billing/store';
import { defineEndpoint } from '../../http/define-endpoint.ts';
import { requireFutureEnd } from './create-api-key.ts';
import { apiKeyExample, presentApiKey } from './list-api-keys.ts';

export const rotateApiKey = defineEndpoint({
  method: 'post',
  path: '/api/v1/admin/projects/{project_id}/api-keys/{key_id}/rotate',
  operationId: 'rotateApiKey',
  tag: 'Projects',
  summary: 'Replace an API key',
  description:
    'Makes a key with the same name, scopes, addresses and rate. The old one ends by itself after the overlap.',
  access: { admin: 'admin' },
  takesDryRun: true,
  body: { schema: rotateApiKeyRequest, example: { overlap_hours: 24 } },
  answers: [
    {
      status: 201,
      description: 'Created. `api_key` is shown this once.',
      schema: rotatedApiKey,
      example: {
        ...apiKeyExample,
        key_id: 'key_77d0e2',
        last_used_at: null,
        api_key: 'proj_ExampleExampleExampleExampleExample000000',
        replaces: { key_id: apiKeyExample.key_id, expires_at: '2026-11-23T10:00:00.000Z' },
      },
    },
  ],
  errors: ['api_key_not_found', 'key_not_active'],
  handle: async ({ database, clock, keys }, { params, body, actor }) => {
    const now = clock();
    requireFutureEnd(body, now);
    const { project_id: projectId, key_id: keyId } = params;
    const rotated = await rotateRow(database, { projectId, keyId, request: body, now, actor });
    const { key, secret, oldDigest, oldEndsAt } = rotated;
    // Other processes, and this one, see it at their next look at Postgres.
    await keys.forget(oldDigest, oldEndsAt.getTime());
    const replaces = { key_id: keyId, expires_at: oldEndsAt.toISOString() };
    return { body: { ...presentApiKey(key), api_key: secret, replaces } };
  },
});
