import { entitlementsQuery, entitlementsResponse, toTimestamp } from '@billing/domain';
import type { EntitlementsAnswer, EntitlementsQuery, Instant } from '@billing/domain';
import type { ApiKeyRecord } from '@billing/store';
import type { Request } from 'express';
import type { AppDeps } from '../../deps.ts';
import type { Answered } from '../../entitlements/answer-source.ts';
import { withinDeadline } from '../../entitlements/fresh-reads.ts';
import { requireSameProject } from '../../http/authenticate-project.ts';
import { defineEndpoint } from '../../http/define-endpoint.ts';
import type { HotRoute } from '../../http/hot-route.ts';
import { parseQuery } from '../../http/parse.ts';
import { addBalances } from '../../usage/add-balances.ts';

const path = '/api/v1/entitlements';

export const entitlementsExample = {
  user_id: 'user_1',
  project_id: 'shop',
  entitlements: [
    {
      feature_code: 'premium_export',
      is_active: true,
      valid_from: '2026-11-01T00:00:00.000Z',
      valid_to: '2026-12-02T00:00:00.000Z',
      current_period_end: '2026-12-01T00:00:00.000Z',
      source: 'subscription',
      source_id: 'sub_123',
      status: 'active',
      quantity: 1,
      confirmed: true,
    },
  ],
  version: 7,
  as_of: '2026-11-22T10:00:00.000Z',
  valid_until: '2026-12-02T00:00:00.000Z',
  checked_at: '2026-11-22T10:00:03.000Z',
};

export const cacheHeader = {
  'x-cache': {
    description: '`hit`, `miss`, or `bypass` where the cache is away or was not asked.',
    schema: { type: 'string', enum: ['hit', 'miss', 'bypass'] },
  },
};

export const checkEntitlements = defineEndpoint({
  method: 'get',
  path,
  operationId: 'checkEntitlements',
  tag: 'Entitlements',
  summary: 'What a user may do now',
  description:
    'Lists what is in force, one entry per feature. An unknown user gets 200 and an empty list. Never fewer than the truth: what cannot be answered is 503.',
  access: { project: 'read' },
  query: entitlementsQuery,
  answers: [
    {
      status: 200,
      description: 'The entitlements in force.',
      schema: entitlementsResponse,
      example: entitlementsExample,
      headers: cacheHeader,
    },
  ],
  errors: [],
});

type CheckDeps = Pick<AppDeps, 'clock' | 'cache' | 'metrics' | 'answers' | 'checkUsage'>;
type Check = { projectId: string; userId: string; endsAt: number };

/** `user_id` alone, of characters that need no decoding: how nearly every backend asks. */
const simpleQuery = /^\/api\/v1\/entitlements\?user_id=([A-Za-z0-9._~-]{1,256})$/;

/**
 * The user of a check in its simple form; null: the query has to be parsed. Both ways read the same: these characters
 * mean themselves in a query, and any 1 to 256 of them are an identifier.
 */
export const userOfSimpleQuery = (url: string): string | null => simpleQuery.exec(url)?.[1] ?? null;

/** A cached answer, which lacks its end, with the moment of this check. */
export const finishAnswer = (answer: string, now: Instant): string =>
  `${answer},"checked_at":"${toTimestamp(now)}"}`;

/** From the cache, else from Postgres. Promises are what a hit costs most: the fewer, the better. */
const answerCheck = (
  { cache, metrics, answers }: CheckDeps,
  { projectId, userId, endsAt }: Check,
): Promise<Answered> =>
  cache.lookUp(projectId, userId).then((lookUp) => {
    if (lookUp.state === 'hit') {
      metrics.entitlementCacheHits.inc();
      return { answer: lookUp.answer, cache: 'hit' };
    }
    metrics.entitlementCacheMisses.inc();
    return withinDeadline(answers.afterMiss(lookUp, projectId, userId), endsAt);
  });

async function explain({ answers }: CheckDeps, check: Check, featureCode?: string): Promise<Answered> {
  const fresh = await withinDeadline(answers.readFresh(check.projectId, check.userId), check.endsAt);
  const explanation = fresh.explanation.filter(
    // What a source would give is not known while its price is not mapped: that may be why the feature is missing.
    ({ feature_codes: codes }) =>
      featureCode === undefined || codes.length === 0 || codes.includes(featureCode),
  );
  return { answer: `${fresh.answer},"explanation":${JSON.stringify(explanation)}`, cache: 'bypass' };
}

function keepFeature(answer: string, featureCode: string): string {
  const whole: EntitlementsAnswer = JSON.parse(`${answer}}`);
  const entitlements = whole.entitlements.filter((entry) => entry.feature_code === featureCode);
  return JSON.stringify({ ...whole, entitlements }).slice(0, -1);
}

/** What `include` asks for, within the same time. */
const withBalances =
  (deps: CheckDeps, { include }: EntitlementsQuery, endsAt: number) =>
  (answered: Answered): Promise<Answered> =>
    include === 'usage' ? withinDeadline(addBalances(deps, answered), endsAt) : Promise.resolve(answered);

/** A check with any query. */
async function answerParsedCheck(
  deps: CheckDeps,
  project: ApiKeyRecord,
  { request, endsAt }: { request: Request; endsAt: number },
): Promise<Answered> {
  const query: EntitlementsQuery = parseQuery(entitlementsQuery, request);
  requireSameProject(project, query);
  const { user_id: userId, feature_code: featureCode } = query;
  const check = { projectId: project.projectId, userId, endsAt };
  const { answer, cache } = await withBalances(
    deps,
    query,
    endsAt,
  )(await (query.explain === true ? explain(deps, check, featureCode) : answerCheck(deps, check)));
  return { answer: featureCode === undefined ? answer : keepFeature(answer, featureCode), cache };
}

/** The check as a hot route. */
export const hotCheckEntitlements = (deps: CheckDeps): HotRoute<string, Answered> => ({
  path,
  readSimple: userOfSimpleQuery,
  answer: (projectId, userId, endsAt) => answerCheck(deps, { projectId, userId, endsAt }),
  answerParsed: (project, request, endsAt) => answerParsedCheck(deps, project, { request, endsAt }),
  finish: ({ answer }) => finishAnswer(answer, deps.clock()),
});
