import { revokeRequest, revokeResponse } from '@billing/domain';
import { revokeGrant as revokeRow } from '@billing/store';
import { defineEndpoint } from '../../http/define-endpoint.ts';
import { publishChange } from '../publish-change.ts';

export const revokeGrant = defineEndpoint({
  method: 'post',
  path: '/api/v1/admin/revoke',
  operationId: 'revokeGrant',
  tag: 'Access',
  summary: 'Take back what was given by hand',
  access: { admin: 'operator', limitedBy: 'handler' },
  takesDryRun: true,
  body: {
    schema: revokeRequest,
    example: { grant_id: 'grant_8c1f', reason: 'Given to the wrong user' },
  },
  answers: [
    {
      status: 200,
      description: 'Taken back.',
      schema: revokeResponse,
      example: { grant_id: 'grant_8c1f', revoked_at: '2026-11-22T11:00:00.000Z' },
    },
  ],
  errors: ['grant_not_found', 'already_revoked'],
  handle: async (deps, { body, actor, onlyProject }) => {
    const now = deps.clock();
    const grant = await publishChange(
      deps,
      await revokeRow(deps.database, { ...body, onlyProject }, { actor, now }),
    );
    const revokedAt = grant.revokedAt ?? new Date(now);
    return { body: { grant_id: grant.id, revoked_at: revokedAt.toISOString() } };
  },
});
