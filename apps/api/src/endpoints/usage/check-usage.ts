import { checkOut, checkQuery } from '@billing/domain';
import type { CheckQuery } from '@billing/domain';
import { checkEndsAt, withinDeadline } from '../../entitlements/fresh-reads.ts';
import { defineEndpoint } from '../../http/define-endpoint.ts';
import type { Answer, EndpointDeps, Reply } from '../../http/define-endpoint.ts';
import { cacheHeader } from '../entitlements/check-entitlements.ts';
import { checkExample } from './usage-examples.ts';

export const checkAnswer = {
  status: 200,
  description: 'Allowed or not, with the reason.',
  schema: checkOut,
  example: checkExample,
  headers: cacheHeader,
} satisfies Answer;

/** One check of one user. */
export async function answerCheck(
  { checkUsage: check }: Pick<EndpointDeps, 'checkUsage'>,
  projectId: string,
  query: Omit<CheckQuery, 'project_id'>,
): Promise<Reply<never>> {
  const key = { projectId, userId: query.user_id, featureCode: query.feature_code };
  const [checked] = await withinDeadline(
    check([key], { required: query.required, minUsageSeq: query.min_usage_seq }),
    checkEndsAt(),
  );
  if (checked === undefined) throw new Error('a check has an answer');
  return { text: checked.text, headers: { 'x-cache': checked.cache } };
}

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
  answers: [checkAnswer],
  errors: [],
  handle: (deps, { project: { projectId }, query }) => answerCheck(deps, projectId, query),
});
