import { grantRequest, grantResponse } from '@billing/domain';
import { amountOf, createGrant as createRow } from '@billing/store';
import { defineEndpoint } from '../../http/define-endpoint.ts';
import { publishChange } from '../publish-change.ts';

export const createGrant = defineEndpoint({
  method: 'post',
  path: '/api/v1/admin/grant',
  operationId: 'createGrant',
  tag: 'Access',
  summary: 'Give a user a feature',
  description:
    'A metered feature gets an allowance of its own until `valid_to`; a limit grows by the amount. Both need `amount`.',
  access: { admin: 'operator', limitedBy: 'body' },
  takesDryRun: true,
  body: {
    schema: grantRequest,
    example: {
      user_id: 'user_1',
      project_id: 'shop',
      feature_code: 'premium_export',
      valid_to: '2027-01-01T00:00:00Z',
      reason: 'Sorry for the outage',
    },
  },
  answers: [
    {
      status: 201,
      description: 'Given; the next answer about the user has it.',
      schema: grantResponse,
      example: {
        grant_id: 'grant_8c1f',
        user_id: 'user_1',
        project_id: 'shop',
        feature_code: 'premium_export',
        valid_from: '2026-11-22T10:00:00.000Z',
        valid_to: '2027-01-01T00:00:00.000Z',
        granted_at: '2026-11-22T10:00:00.000Z',
      },
    },
  ],
  errors: ['project_not_found'],
  handle: async (deps, { body, actor }) => {
    const created = await createRow(deps.database, body, { actor, now: deps.clock() });
    const grant = await publishChange(deps, created);
    return {
      body: {
        grant_id: grant.id,
        user_id: body.user_id,
        project_id: body.project_id,
        feature_code: grant.featureCode,
        ...amountOf(grant),
        valid_from: grant.validFrom.toISOString(),
        valid_to: grant.validTo?.toISOString() ?? null,
        granted_at: grant.grantedAt.toISOString(),
      },
    };
  },
});
