import { dryRunQuery } from '@billing/domain';
import { revokeApiKey as revokeRow } from '@billing/store';
import { defineEndpoint } from '../../http/define-endpoint.ts';

export const revokeApiKey = defineEndpoint({
  method: 'delete',
  path: '/api/v1/admin/projects/{project_id}/api-keys/{key_id}',
  operationId: 'revokeApiKey',
  tag: 'Projects',
  summary: 'Revoke an API key',
  description: 'In force everywhere within a second. Again: the same answer.',
  access: { admin: 'admin' },
  takesDryRun: true,
  query: dryRunQuery,
  answers: [{ status: 204, description: 'Revoked.' }],
  errors: ['api_key_not_found'],
  handle: async ({ database, clock, keys, logger }, { params, actor }) => {
    const { project_id: projectId, key_id: keyId } = params;
    const digest = await revokeRow(database, { projectId, keyId, now: clock(), actor });
    // Other processes, and this one if Redis fails here, see it at their next look at Postgres.
    await keys.forget(digest).catch((error: unknown) => logger.warn('api_key_copy_not_removed', { error }));
    return { body: undefined };
  },
});
