import { grantRequest, grantResponse, revokeRequest, revokeResponse } from '@billing/domain';
import type { Endpoint } from '../endpoint.ts';

const base = { tag: 'Access', access: 'admin' } as const;

export const accessEndpoints: readonly Endpoint[] = [
  {
    ...base,
    method: 'post',
    path: '/api/v1/admin/grant',
    operationId: 'grant',
    summary: 'Give a user a feature',
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
  },
  {
    ...base,
    method: 'post',
    path: '/api/v1/admin/revoke',
    operationId: 'revoke',
    summary: 'Take back what was given by hand',
    body: {
      schema: revokeRequest,
      example: { grant_id: 'grant_8c1f', revoke_reason: 'Given to the wrong user' },
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
  },
];
