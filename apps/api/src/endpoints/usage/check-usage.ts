import { checkOut, checkQuery } from '@billing/domain';
import type { CheckQuery } from '@billing/domain';
import type { AppDeps } from '../../deps.ts';
import { requireSameProject } from '../../http/authenticate-project.ts';
import { defineEndpoint } from '../../http/define-endpoint.ts';
import type { Answer } from '../../http/define-endpoint.ts';
import type { HotRoute } from '../../http/hot-route.ts';
import { parseQuery } from '../../http/parse.ts';
import { checkText } from '../../usage/check-usage.ts';
import type { Checked } from '../../usage/check-usage.ts';
import { cacheHeader } from '../entitlements/check-entitlements.ts';
import { checkExample } from './usage-examples.ts';

export const checkAnswer = {
  status: 200,
  description: 'Allowed or not, with the reason.',
  schema: checkOut,
  example: checkExample,
  headers: cacheHeader,
} satisfies Answer;

const path = '/api/v1/check';

type Asked = Omit<CheckQuery, 'project_id'>;

/** One check of one user, within its time. */
export const answerCheck = (
  { checkUsage: check }: Pick<AppDeps, 'checkUsage'>,
  projectId: string,
  { query, endsAt }: { query: Asked; endsAt: number },
): Promise<Checked> =>
  check.one(
    { projectId, userId: query.user_id, featureCode: query.feature_code },
    { required: query.required, minUsageSeq: query.min_usage_seq },
    endsAt,
  );

/** User and feature alone, of characters that need no decoding, and how much is needed: how nearly every backend asks. */
const simpleQuery =
  /^\/api\/v1\/check\?user_id=([A-Za-z0-9._~-]{1,256})&feature_code=([A-Za-z0-9._~-]{1,256})(?:&required=(\d{1,12}))?$/;

/** What a check in its simple form asks; null: the query has to be parsed. Both ways read the same. */
export function askedBySimpleQuery(url: string): Asked | null {
  const found = simpleQuery.exec(url);
  if (found === null) return null;
  const [, user_id = '', feature_code = '', required = '1'] = found;
  return { user_id, feature_code, required: Number(required) };
}

export const checkUsage = defineEndpoint({
  method: 'get',
  path,
  operationId: 'checkUsage',
  tag: 'Usage',
  summary: 'Whether a user may use so much of a feature now',
  description:
    'Works for every kind of feature. Unknown users and codes are not entitled. A check is advice: it takes nothing; `POST /api/v1/usage` decides.',
  access: { project: 'read' },
  query: checkQuery,
  answers: [checkAnswer],
  errors: [],
});

/** The check as a hot route. */
export const hotCheckUsage = (deps: Pick<AppDeps, 'checkUsage' | 'clock'>): HotRoute<Asked, Checked> => ({
  path,
  readSimple: askedBySimpleQuery,
  answer: (projectId, query, endsAt) => answerCheck(deps, projectId, { query, endsAt }),
  answerParsed(project, request, endsAt) {
    const query: CheckQuery = parseQuery(checkQuery, request);
    requireSameProject(project, query);
    return answerCheck(deps, project.projectId, { query, endsAt });
  },
  finish: (checked) => checkText(checked, deps.clock()),
});
