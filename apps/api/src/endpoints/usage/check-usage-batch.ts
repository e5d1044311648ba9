import { checkBatchOut, checkBatchRequest } from '@billing/domain';
import type { CheckBatchRequest } from '@billing/domain';
import type { AccountKey } from '@billing/store';
import { batchEndsAt, withinDeadline } from '../../entitlements/fresh-reads.ts';
import { defineEndpoint } from '../../http/define-endpoint.ts';
import { checkText } from '../../usage/check-usage.ts';
import { cacheHeader } from '../entitlements/check-entitlements.ts';
import { checkExample } from './usage-examples.ts';

const keysOf = (projectId: string, body: CheckBatchRequest): AccountKey[] =>
  'user_ids' in body
    ? body.user_ids.map((userId) => ({ projectId, userId, featureCode: body.feature_code }))
    : body.feature_codes.map((featureCode) => ({ projectId, userId: body.user_id, featureCode }));

export const checkUsageBatch = defineEndpoint({
  method: 'post',
  path: '/api/v1/check/batch',
  operationId: 'checkUsageBatch',
  tag: 'Usage',
  summary: 'Checks of up to 100 users, or of up to 100 features',
  access: { project: 'read' },
  body: {
    schema: checkBatchRequest,
    example: { user_id: 'user_1', feature_codes: ['api_calls', 'seats'] },
  },
  answers: [
    {
      status: 200,
      description: 'One result for each, in the order asked.',
      schema: checkBatchOut,
      example: { results: [checkExample] },
      headers: cacheHeader,
    },
  ],
  errors: [],
  handle: async ({ checkUsage, clock }, { project: { projectId }, body }) => {
    const checked = await withinDeadline(
      checkUsage.many(keysOf(projectId, body), { required: body.required }),
      batchEndsAt(),
    );
    const outcomes = new Set(checked.map(({ cache }) => cache));
    const worst = outcomes.has('bypass') ? 'bypass' : outcomes.has('miss') ? 'miss' : 'hit';
    const now = clock();
    return {
      text: `{"results":[${checked.map((one) => checkText(one, now)).join(',')}]}`,
      headers: { 'x-cache': worst },
    };
  },
});
