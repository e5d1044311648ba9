import { batchRequest, batchResponse } from '@billing/domain';
import { batchEndsAt, withinDeadline } from '../../entitlements/fresh-reads.ts';
import type { Answered, CacheOutcome } from '../../entitlements/answer-source.ts';
import { defineEndpoint } from '../../http/define-endpoint.ts';
import { cacheHeader, entitlementsExample, finishAnswer } from './check-entitlements.ts';

export const checkEntitlementsBatch = defineEndpoint({
  method: 'post',
  path: '/api/v1/entitlements/batch',
  operationId: 'checkEntitlementsBatch',
  tag: 'Entitlements',
  summary: 'What up to 100 users may do now',
  access: { project: 'read' },
  body: { schema: batchRequest, example: { user_ids: ['user_1'] } },
  answers: [
    {
      status: 200,
      description: 'One result per user, in the order asked.',
      schema: batchResponse,
      example: { project_id: 'shop', results: [entitlementsExample] },
      headers: cacheHeader,
    },
  ],
  errors: [],
  handle: async ({ answers, clock }, { project: { projectId }, body }) => {
    const answered = await withinDeadline(answers.forMany(projectId, body.user_ids), batchEndsAt());
    const now = clock();
    const results = answered.map(({ answer }) => finishAnswer(answer, now)).join(',');
    return {
      text: `{"project_id":${JSON.stringify(projectId)},"results":[${results}]}`,
      headers: { 'x-cache': worstOf(answered) },
    };
  },
});

function worstOf(answered: readonly Answered[]): CacheOutcome {
  if (answered.some(({ cache }) => cache === 'bypass')) return 'bypass';
  return answered.some(({ cache }) => cache === 'miss') ? 'miss' : 'hit';
}
