import { entitlementsQuery, entitlementsResponse, toTimestamp } from '@billing/domain';
import type { EntitlementsAnswer, EntitlementsQuery, Instant } from '@billing/domain';
import type { Request, RequestHandler, Response } from 'express';
import type { AppDeps } from '../../deps.ts';
import { checkEndsAt, withinDeadline } from '../../entitlements/fresh-reads.ts';
import type { Answered, CacheOutcome } from '../../entitlements/answer-source.ts';
import { authenticateProject, peekProject, requireSameProject } from '../../http/authenticate-project.ts';
import { defineEndpoint } from '../../http/define-endpoint.ts';
import { addBalances } from '../../usage/add-balances.ts';
import type { FailureHandler } from '../../http/handle-failure.ts';
import { assignRequestId, requestIdFor, requestIdOf, traceIdOf, withLogContext } from '@billing/platform';
import type { RequestMeter } from '@billing/platform';
import { parseQuery } from '../../http/parse.ts';

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

type CheckDeps = Pick<
  AppDeps,
  | 'keys'
  | 'clock'
  | 'authFailures'
  | 'rateLimiter'
  | 'config'
  | 'cache'
  | 'metrics'
  | 'answers'
  | 'checkUsage'
  | 'isStopping'
>;
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

/**
 * `writeHead` and `end` with the finished text and all headers in one flat list: Express's `json` would stringify,
 * hash and sniff again, and headers set one by one take Node's slow way.
 */
function sendAnswer(
  response: Response,
  text: string,
  { cache, requestId }: { cache: CacheOutcome; requestId: string },
): void {
  response.writeHead(200, [
    'content-type',
    'application/json; charset=utf-8',
    'content-length',
    Buffer.byteLength(text),
    'cache-control',
    'no-store',
    'x-content-type-options',
    'nosniff',
    'x-cache',
    cache,
    'x-request-id',
    requestId,
  ]);
  response.end(text);
}

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
    (entry) => featureCode === undefined || entry.feature_codes.includes(featureCode),
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
  ({ checkUsage }: CheckDeps, { include }: EntitlementsQuery, endsAt: number) =>
  (answered: Answered): Promise<Answered> =>
    include === 'usage'
      ? withinDeadline(addBalances(checkUsage, answered), endsAt)
      : Promise.resolve(answered);

/** A check with any query, and every refusal. */
async function answerParsedCheck(deps: CheckDeps, request: Request, response: Response): Promise<void> {
  const endsAt = checkEndsAt();
  if (deps.isStopping()) response.setHeader('connection', 'close');
  const project = await authenticateProject(deps, { request, response }, 'read');
  const query: EntitlementsQuery = parseQuery(entitlementsQuery, request);
  requireSameProject(project, query);
  const { user_id: userId, feature_code: featureCode } = query;
  const check = { projectId: project.projectId, userId, endsAt };
  const { answer, cache } = await withBalances(
    deps,
    query,
    endsAt,
  )(await (query.explain === true ? explain(deps, check, featureCode) : answerCheck(deps, check)));
  const kept = featureCode === undefined ? answer : keepFeature(answer, featureCode);
  sendAnswer(response, finishAnswer(kept, deps.clock()), { cache, requestId: requestIdOf(response) });
}

/**
 * The hot route. It stands before all middleware and does what they would do itself; where all goes well nothing is
 * logged. A simple query with a key that is in memory takes a shorter way, on which only the cache is awaited.
 */
export function createCheckHandler(
  deps: CheckDeps,
  { meter, handleFailure }: { meter: RequestMeter; handleFailure: FailureHandler },
): RequestHandler {
  return (request, response) => {
    const traceId = traceIdOf(request.headers);
    if (traceId === undefined) handle(request, response, traceId);
    else withLogContext({ trace_id: traceId }, () => handle(request, response, traceId));
  };

  function handle(request: Request, response: Response, traceId: string | undefined): void {
    const startedAt = performance.now();
    const report = (): void =>
      meter({ method: 'GET', route: path, statusCode: response.statusCode, startedAt, traceId });
    const failed = (error: unknown): void => {
      if (!response.hasHeader('x-request-id')) assignRequestId(request, response);
      handleFailure(error, request, response);
      report();
    };
    const userId = deps.isStopping() ? null : userOfSimpleQuery(request.url);
    const project = userId === null ? null : peekProject(deps, request, 'read');
    if (userId === null || project === null) {
      assignRequestId(request, response);
      answerParsedCheck(deps, request, response).then(report).catch(failed);
      return;
    }
    const answered = ({ answer, cache }: Answered): void => {
      const text = finishAnswer(answer, deps.clock());
      sendAnswer(response, text, { cache, requestId: requestIdFor(request) });
      report();
    };
    const check = { projectId: project.projectId, userId, endsAt: checkEndsAt() };
    answerCheck(deps, check).then(answered).catch(failed);
  }
}
