import { batchRequest, entitlementsQuery } from '@billing/domain';
import type { EntitlementsAnswer, EntitlementsQuery } from '@billing/domain';
import type { Request, RequestHandler, Response } from 'express';
import type { AppDeps } from '../deps.ts';
import { authenticateProject, peekProject, projectOf, requireSameProject } from '../http/authenticate.ts';
import type { ProjectKeyDeps } from '../http/authenticate.ts';
import type { FailureHandler } from '../http/handle-failure.ts';
import { parseBody, parseQuery } from '../http/parse.ts';
import { assignRequestId, requestIdFor, requestIdOf } from '../http/request-id.ts';
import type { RequestMeter } from '../http/request-meter.ts';
import type { Answered, AnswerSource, CacheOutcome } from './answer-source.ts';
import { checkEndsAt } from './fresh-reads.ts';
import { plainQuestion } from './plain-question.ts';
import { finishAnswer, sendAnswer } from './send-answer.ts';

export type CheckDeps = ProjectKeyDeps &
  Pick<AppDeps, 'config' | 'database' | 'isStopping'> & {
    answers: AnswerSource;
  };

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

type CheckTools = { meter: RequestMeter; handleFailure: FailureHandler };

/** A check in all its forms, and every refusal. */
async function answerAnyCheck(deps: CheckDeps, request: Request, response: Response): Promise<void> {
  const endsAt = checkEndsAt({ isKeyKnown: false });
  if (deps.isStopping()) response.setHeader('connection', 'close');
  const record = await authenticateProject(deps, { request, response }, 'read');
  const query = parseQuery(entitlementsQuery, request);
  requireSameProject(record, query.project_id);
  const { answer, cache } = await check(deps, { projectId: record.projectId, query, endsAt });
  sendAnswer(response, finishAnswer(answer, deps.clock()), { cache, requestId: requestIdOf(response) });
}

/**
 * `GET /api/v1/entitlements`: the hot route. It stands before all middleware and does what they would do itself;
 * on the happy path nothing is logged. A plain question with a key that is at hand goes a shorter way, on which
 * nothing waits but for the cache; it ends in the same places.
 */
export function createCheckHandler(deps: CheckDeps, { meter, handleFailure }: CheckTools): RequestHandler {
  const route = '/api/v1/entitlements';

  return (request, response) => {
    const startedAt = performance.now();
    const report = (): void => meter('GET', route, response.statusCode, startedAt);
    const failed = (error: unknown): void => {
      if (!response.hasHeader('x-request-id')) assignRequestId(request, response);
      handleFailure(error, request, response);
      report();
    };
    const userId = deps.isStopping() ? null : plainQuestion(request.url);
    const record = userId === null ? null : peekProject(deps, request, 'read');
    if (userId === null || record === null) {
      assignRequestId(request, response);
      answerAnyCheck(deps, request, response).then(report).catch(failed);
      return;
    }
    const answered = ({ answer, cache }: Answered): void => {
      const text = finishAnswer(answer, deps.clock());
      sendAnswer(response, text, { cache, requestId: requestIdFor(request) });
      report();
    };
    const endsAt = checkEndsAt({ isKeyKnown: false });
    deps.answers.answerFor(record.projectId, userId, endsAt).then(answered).catch(failed);
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
    const now = deps.clock();
    const results = answered.map(({ answer }) => finishAnswer(answer, now)).join(',');
    const text = `{"project_id":${JSON.stringify(projectId)},"results":[${results}]}`;
    sendAnswer(response, text, { cache: worstOf(answered), requestId: requestIdOf(response) });
  };
}
