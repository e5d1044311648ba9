import { levelRequest, toLevelCommand, usageOut } from '@billing/domain';
import { defineEndpoint } from '../../http/define-endpoint.ts';
import { eventAnswer } from '../../usage/take-usage.ts';
import { usageExample } from './usage-examples.ts';

export const setLevel = defineEndpoint({
  method: 'put',
  path: '/api/v1/usage/level',
  operationId: 'setUsageLevel',
  tag: 'Usage',
  summary: 'Set how much of a counted limit is in use',
  description:
    'It may exceed the limit: then nothing more is allowed. A level that was observed before the last one is not recorded (`reason: stale`).',
  access: { project: 'usage' },
  body: {
    schema: levelRequest,
    example: {
      user_id: 'user_1',
      feature_code: 'seats',
      level: 4,
      observed_at: '2026-11-22T10:00:00Z',
      event_id: 'seats_17',
    },
  },
  answers: [{ status: 200, description: 'Decided.', schema: usageOut, example: usageExample }],
  errors: ['feature_not_metered', 'timestamp_out_of_range', 'event_conflict', 'usage_unavailable'],
  handle: async ({ takeUsage }, { project: { projectId }, body }) => {
    const key = { projectId, userId: body.user_id, featureCode: body.feature_code };
    return { body: eventAnswer(await takeUsage({ ...key, command: toLevelCommand(body) })) };
  },
});
