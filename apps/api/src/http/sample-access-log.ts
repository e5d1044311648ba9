import type { AppDeps } from '../deps.ts';
import type { Request, RequestHandler, Response } from 'express';
import { assignRequestId } from './request-id.ts';

type Sampling = Pick<AppDeps, 'logger'> & { route: string; share: number };

/**
 * Writes a share (0 to 1) of a route's answers to the access log. Of the hot route, which has no middleware:
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
  // The handler takes the same id from where a caller would have put it.
  request.headers['x-request-id'] = requestId;
  response.once('close', () => {
    const cache = response.getHeader('x-cache');
    logger.info('request_finished', {
      request_id: requestId,
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
