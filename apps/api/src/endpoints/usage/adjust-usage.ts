import { adjustRequest, usageOut } from '@billing/domain';
import { adjustUsage as adjust } from '@billing/store';
import { defineEndpoint } from '../../http/define-endpoint.ts';
import { usageExample } from './usage-examples.ts';

export const adjustUsage = defineEndpoint({
  method: 'post',
  path: '/api/v1/admin/usage/adjust',
  operationId: 'adjustUsage',
  tag: 'Access',
  summary: 'Change what a user has used',
  description: 'Recorded in the audit log. What is used goes beyond the allowance, too.',
  access: { admin: 'operator', limitedBy: 'body' },
  takesDryRun: true,
  body: {
    schema: adjustRequest,
    example: {
      project_id: 'shop',
      user_id: 'user_1',
      feature_code: 'api_calls',
      quantity: -100,
      reason: 'Sorry for the outage',
    },
  },
  answers: [{ status: 200, description: 'Adjusted.', schema: usageOut, example: usageExample }],
  errors: [
    'project_not_found',
    'feature_not_metered',
    'event_conflict',
    'correction_too_large',
    'level_below_zero',
  ],
  handle: async ({ database, clock, usage }, { body, actor }) => ({
    body: await adjust(database, body, { actor, now: clock(), settings: usage.settings, cache: usage.cache }),
  }),
});
