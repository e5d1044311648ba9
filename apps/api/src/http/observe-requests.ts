import type { IncomingMessage, ServerResponse } from 'node:http';
import {
  assignRequestId,
  limitLines,
  traceFields,
  traceIdOf,
  unmatchedRoute,
  withLogContext,
} from '@billing/platform';
import type { Logger, RequestMeter } from '@billing/platform';
import type { Request, RequestHandler, Response } from 'express';
import type { AppDeps } from '../deps.ts';
import { securityHeaders } from './problem.ts';

const requestIdHeader = 'x-request-id';

/** Successful answers logged in one second and process: all of a quiet service, a sample of a busy one. */
const maxPerSecond = 20;
/** The same of refusals, which anybody can cause. */
const maxRefusalsPerSecond = 10;

export type AccessLog = {
  /** Whether this answer is to be logged. Asked once for each answer, before its line is put together. */
  wants: (statusCode: number, isAborted: boolean) => boolean;
  write: (fields: Record<string, unknown>) => void;
};

/**
 * The access log. Every failure of ours is logged; of successful answers only so many a second, as a line costs more
 * than accepting a webhook does. `not_logged`: how many were left out since the line before. Of refusals so many a
 * second, and beyond that one line a second with their number. Counts and times of all are in the metrics.
 */
export function createAccessLog({ logger }: { logger: Logger }): AccessLog {
  let second = 0;
  let logged = 0;
  let notLogged = 0;
  const refusals = limitLines(maxRefusalsPerSecond, (count) => logger.warn('requests_refused', { count }));
  return {
    wants(statusCode, isAborted) {
      if (statusCode === 500) return true;
      if (statusCode >= 400 || isAborted) return refusals.admits();
      const current = Math.floor(performance.now() / 1000);
      if (current !== second) {
        second = current;
        logged = 0;
      }
      if (logged >= maxPerSecond) {
        notLogged += 1;
        return false;
      }
      logged += 1;
      return true;
    },
    write(fields) {
      logger.info('request_finished', notLogged === 0 ? fields : { ...fields, not_logged: notLogged });
      notLogged = 0;
    },
  };
}

export const queueScreenPath = '/admin/queues';

/** The route that a request names, refused before it came there; undefined: none. */
export type RouteFinder = (method: string, path: string) => string | undefined;

/** The pattern of the route that answered, never the raw URL: a label with few values. */
function routeOf(request: Request, statusCode: number, findRoute: RouteFinder): string {
  const route: unknown = request.route;
  const path = typeof route === 'object' && route !== null && 'path' in route ? route.path : undefined;
  if (typeof path !== 'string') {
    const isRefused = statusCode === 401 || statusCode === 429;
    const [asked = ''] = request.originalUrl.split('?', 1);
    return (isRefused ? findRoute(request.method, asked) : undefined) ?? unmatchedRoute;
  }
  // The routes of the queue screen do not know where it is mounted, and `baseUrl` is gone after an error.
  const isOfScreen = request.originalUrl.startsWith(`${queueScreenPath}/`);
  return isOfScreen && !path.startsWith(queueScreenPath) ? queueScreenPath + path : path;
}

/** What is known of a request when it is over. `noted`: ids and names for the access log, never what was sent. */
export type Observed = { route: () => string; noted?: () => Record<string, string> };

/** What a request is known by in the log. */
export type RequestIds = { request_id: string; trace_id?: string };

/** Begins a request: ids, security headers; and at its end metrics and access log. */
export type Observer = (request: IncomingMessage, response: ServerResponse, observed: Observed) => RequestIds;

export function createObserver(
  deps: Pick<AppDeps, 'logger' | 'isStopping' | 'warnOfProxy'>,
  meter: RequestMeter,
): Observer {
  const accessLog = createAccessLog(deps);
  const headers = Object.entries(securityHeaders);
  return (request, response, observed) => {
    const startedAt = performance.now();
    const traceId = traceIdOf(request.headers);
    const ids = { request_id: assignRequestId(request, response), ...traceFields(traceId) };
    for (const [name, value] of headers) response.setHeader(name, value);
    if (deps.isStopping()) response.setHeader('connection', 'close');
    deps.warnOfProxy(request);
    response.once('close', () => {
      const route = observed.route();
      const { method = '' } = request;
      meter({ method, route, statusCode: response.statusCode, startedAt, traceId });
      if (!accessLog.wants(response.statusCode, !response.writableFinished)) return;
      accessLog.write({
        ...ids,
        method,
        route,
        status_code: response.statusCode,
        duration_ms: Math.round(performance.now() - startedAt),
        ...observed.noted?.(),
        ...(response.writableFinished ? {} : { is_aborted: true }),
      });
    });
    return ids;
  };
}

/** Observes every route but the busy ones, which do so themselves; and adds the request's ids to all they log. */
export const observeRequests =
  (observe: Observer, findRoute: RouteFinder): RequestHandler =>
  (request, response, next) => {
    const route = (): string => routeOf(request, response.statusCode, findRoute);
    withLogContext(observe(request, response, { route }), next);
  };

type Sampling = Pick<AppDeps, 'logger'> & { route: string; share: number };

/**
 * Writes a share (0 to 1) of a route's answers to the access log. Of a hot route, which has no middleware:
 * with a share of 0 this is the handler itself.
 */
export function sampleAccessLog(handler: RequestHandler, sampling: Sampling): RequestHandler {
  if (sampling.share <= 0) return handler;
  return (request, response, next) => {
    if (Math.random() < sampling.share) logOnceClosed(sampling, request, response);
    return handler(request, response, next);
  };
}

function logOnceClosed({ logger, route, share }: Sampling, request: Request, response: Response): void {
  const startedAt = performance.now();
  const requestId = assignRequestId(request, response);
  const trace = traceFields(traceIdOf(request.headers));
  // The handler takes the same id from where a caller would have put it.
  request.headers[requestIdHeader] = requestId;
  response.once('close', () => {
    const cache = response.getHeader('x-cache');
    logger.info('request_finished', {
      request_id: requestId,
      ...trace,
      method: request.method,
      route,
      status_code: response.statusCode,
      duration_ms: Math.round(performance.now() - startedAt),
      ...(typeof cache === 'string' ? { cache } : {}),
      // So that whoever counts lines can tell how many requests one stands for.
      ...(share < 1 ? { sample: share } : {}),
    });
  });
}
