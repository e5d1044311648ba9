import { checkOut, checkQuery } from '@billing/domain';
import { checkEndsAt, withinDeadline } from '../../entitlements/fresh-reads.ts';
import { defineEndpoint } from '../../http/define-endpoint.ts';
import { cacheHeader } from '../entitlements/check-entitlements.ts';
import { checkExample } from './usage-examples.ts';

export const checkUsage = defineEndpoint({
  method: 'get',
  path: '/api/v1/check',
  operationId: 'checkUsage',
  tag: 'Usage',
  summary: 'Whether a user may use so much of a feature now',
  description:
    'Works for every kind of feature. Unknown users and codes are not entitled. A check is advice: it takes nothing; `POST /api/v1/usage` decides.',
  access: { project: 'read' },
  query: checkQuery,
  answers: [
    {
      status: 200,
      description: 'Allowed or not, with the reason.',
      schema: checkOut,
      example: checkExample,
      headers: cacheHeader,
    },
  ],
  errors: [],
  handle: async ({ checkUsage: check }, { project: { projectId }, query }) => {
    const key = { projectId, userId: query.user_id, featureCode: query.feature_code };
    const [checked] = await withinDeadline(
      check([key], { required: query.required, minUsageSeq: query.min_usage_seq }),
      checkEndsAt(),
    );
    if (checked === undefined) throw new Error('a check has an answer');
    return { text: checked.text, headers: { 'x-cache': checked.cache } };
  },
});
