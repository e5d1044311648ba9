import { assignRequestId, requestIdFor, requestIdOf, traceIdOf, withLogContext } from '@billing/platform';
import type { RequestMeter } from '@billing/platform';
import type { ApiKeyRecord } from '@billing/store';
import type { Request, RequestHandler, Response } from 'express';
import type { AppDeps } from '../deps.ts';
import type { CacheOutcome } from '../entitlements/answer-source.ts';
import { checkEndsAt } from '../entitlements/fresh-reads.ts';
import { authenticateProject, peekProject } from './authenticate-project.ts';
import type { FailureHandler } from './handle-failure.ts';

type HotDeps = Pick<
  AppDeps,
  'keys' | 'clock' | 'authFailures' | 'rateLimiter' | 'config' | 'isStopping' | 'warnOfProxy'
>;

/** A read that every guarded action makes: a GET with a project's key. */
export type HotRoute<Asked, Answered extends { cache: CacheOutcome }> = {
  path: string;
  /** What a URL in the simple form asks, as nearly every backend writes it; null: it has to be parsed. */
  readSimple: (url: string) => Asked | null;
  answer: (projectId: string, asked: Asked, endsAt: number) => Promise<Answered>;
  /** A request with any query. Throws what refuses it. */
  answerParsed: (project: ApiKeyRecord, request: Request, endsAt: number) => Promise<Answered>;
  /** The text of an answer, at the moment at which it is sent. */
  finish: (answered: Answered) => string;
};

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

/**
 * The handler of a hot route. It stands before all middleware and does what they would do itself; where all goes well nothing
 * is logged. A simple query with a key that is in memory takes a shorter way, on which only the cache is awaited.
 */
export function createHotHandler<Asked, Answered extends { cache: CacheOutcome }>(
  deps: HotDeps,
  route: HotRoute<Asked, Answered>,
  { meter, handleFailure }: { meter: RequestMeter; handleFailure: FailureHandler },
): RequestHandler {
  const { path } = route;

  /** A check with any query, and every refusal. */
  async function answerParsed(request: Request, response: Response): Promise<void> {
    const endsAt = checkEndsAt();
    if (deps.isStopping()) response.setHeader('connection', 'close');
    const project = await authenticateProject(deps, { request, response }, 'read');
    const answered = await route.answerParsed(project, request, endsAt);
    const { cache } = answered;
    sendAnswer(response, route.finish(answered), { cache, requestId: requestIdOf(response) });
  }

  function handle(request: Request, response: Response, traceId: string | undefined): void {
    const startedAt = performance.now();
    const report = (): void =>
      meter({ method: 'GET', route: path, statusCode: response.statusCode, startedAt, traceId });
    const failed = (error: unknown): void => {
      if (!response.hasHeader('x-request-id')) assignRequestId(request, response);
      handleFailure(error, request, response);
      report();
    };
    const asked = deps.isStopping() ? null : route.readSimple(request.url);
    const project = asked === null ? null : peekProject(deps, request, 'read');
    if (asked === null || project === null) {
      assignRequestId(request, response);
      answerParsed(request, response).then(report).catch(failed);
      return;
    }
    const answered = (answer: Answered): void => {
      const { cache } = answer;
      sendAnswer(response, route.finish(answer), { cache, requestId: requestIdFor(request) });
      report();
    };
    route.answer(project.projectId, asked, checkEndsAt()).then(answered).catch(failed);
  }

  return (request, response) => {
    deps.warnOfProxy(request);
    const traceId = traceIdOf(request.headers);
    if (traceId === undefined) handle(request, response, traceId);
    else withLogContext({ trace_id: traceId }, () => handle(request, response, traceId));
  };
}
