import { batchRequest, entitlementsQuery, toTimestamp } from '@billing/domain';
import type { EntitlementsAnswer, EntitlementsQuery } from '@billing/domain';
import type { RequestHandler, Response } from 'express';
import type { AppDeps } from '../deps.ts';
import { authenticateProject, projectOf, requireSameProject } from '../http/authenticate.ts';
import type { FailureHandler } from '../http/handle-failure.ts';
import { parseBody, parseQuery } from '../http/parse.ts';
import { assignRequestId } from '../http/request-id.ts';
import type { RequestMeter } from '../http/request-meter.ts';
import { checkEndsAt } from './answer-source.ts';
import type { Answered, AnswerSource, CacheOutcome } from './answer-source.ts';

export type CheckDeps = Pick<AppDeps, 'keys' | 'clock' | 'config' | 'database' | 'isStopping'> & {
  answers: AnswerSource;
};

/** `writeHead` and `end` with the finished text: Express's own `json` would stringify, hash and sniff again. */
function sendJsonText(response: Response, text: string, cache: CacheOutcome): void {
  response.writeHead(200, {
    'content-type': 'application/json; charset=utf-8',
    'content-length': Buffer.byteLength(text),
    'cache-control': 'no-store',
    'x-cache': cache,
  });
  response.end(text);
}

type Check = { projectId: string; query: EntitlementsQuery; endsAt: number };

function keepFeature(answer: string, featureCode: string): string {
  const whole: EntitlementsAnswer = JSON.parse(`${answer}}`);
  const entitlements = whole.entitlements.filter((entry) => entry.feature_code === featureCode);
  return JSON.stringify({ ...whole, entitlements }).slice(0, -1);
}

async function explain(deps: CheckDeps, { projectId, query, endsAt }: Check): Promise<Answered> {
  const fresh = await deps.answers.readFresh(projectId, query.user_id, endsAt);
  const explanation = fresh.explanation.filter(
    (entry) => query.feature_code === undefined || entry.feature_codes.includes(query.feature_code),
  );
  return { answer: `${fresh.answer},"explanation":${JSON.stringify(explanation)}`, cache: 'bypass' };
}

async function check(deps: CheckDeps, asked: Check): Promise<Answered> {
  const { projectId, query, endsAt } = asked;
  if (query.explain !== 'true') {
    const answered = await deps.answers.answerFor(projectId, query.user_id, endsAt);
    if (query.feature_code === undefined) return answered;
    return { ...answered, answer: keepFeature(answered.answer, query.feature_code) };
  }
  const explained = await explain(deps, asked);
  if (query.feature_code === undefined) return explained;
  return { ...explained, answer: keepFeature(explained.answer, query.feature_code) };
}

/**
 * `GET /api/v1/entitlements`: the hot route. It stands before all middleware and does what they would do
 * itself; on the happy path nothing is logged.
 */
export function createCheckHandler(
  deps: CheckDeps,
  { meter, handleFailure }: { meter: RequestMeter; handleFailure: FailureHandler },
): RequestHandler {
  return async (request, response) => {
    const startedAt = performance.now();
    const endsAt = checkEndsAt({ isKeyKnown: false });
    assignRequestId(request, response);
    if (deps.isStopping()) response.setHeader('connection', 'close');
    try {
      const { projectId, ...record } = await authenticateProject(deps, request, 'read');
      const query = parseQuery(entitlementsQuery, request);
      requireSameProject({ projectId, ...record }, query.project_id);
      const { answer, cache } = await check(deps, { projectId, query, endsAt });
      sendJsonText(response, `${answer},"checked_at":"${toTimestamp(deps.clock())}"}`, cache);
    } catch (error) {
      handleFailure(error, request, response);
    }
    meter('GET', '/api/v1/entitlements', response.statusCode, startedAt);
  };
}

function worstOf(answered: readonly Answered[]): CacheOutcome {
  if (answered.some(({ cache }) => cache === 'bypass')) return 'bypass';
  return answered.some(({ cache }) => cache === 'miss') ? 'miss' : 'hit';
}

/** `POST /api/v1/entitlements/batch`, behind `requireProjectKey` and `readJson`. */
export function createBatchHandler(deps: CheckDeps): RequestHandler {
  return async (request, response) => {
    const record = projectOf(response);
    const body = parseBody(batchRequest, request);
    requireSameProject(record, body.project_id);
    const { projectId } = record;
    const endsAt = checkEndsAt({ isKeyKnown: true });
    const answered = await deps.answers.answerForMany(projectId, body.user_ids, endsAt);
    const checkedAt = `,"checked_at":"${toTimestamp(deps.clock())}"}`;
    const results = answered.map(({ answer }) => answer + checkedAt).join(',');
    const text = `{"project_id":${JSON.stringify(projectId)},"results":[${results}]}`;
    sendJsonText(response, text, worstOf(answered));
  };
}
