import { withLogContext } from '@billing/platform';
import type { Request, RequestHandler, Response } from 'express';
import type { AppDeps } from '../deps.ts';
import { createAccessLog } from './access-log.ts';
import { assignRequestId } from './request-id.ts';
import { securityHeaders } from './security-headers.ts';
import type { RequestMeter } from './request-meter.ts';

/** Where routers of several routes hang; no mount has parameters. */
export const mounts = {
  admin: '/api/v1/admin',
  checkout: '/api/v1/checkout',
  portal: '/api/v1/portal',
  projectMetrics: '/api/v1/metrics/project',
  queueScreen: '/admin/queues',
} as const;

/** The pattern of the route that answered, never the raw URL: a label with few values. */
function routeOf(request: Request): string {
  const route: unknown = request.route;
  const path = typeof route === 'object' && route !== null && 'path' in route ? route.path : undefined;
  if (typeof path !== 'string') return 'unmatched';
  // `baseUrl` would say where the router hangs, but is gone once an error has left it.
  const mount = Object.values(mounts).find((prefix) => request.originalUrl.startsWith(`${prefix}/`));
  return mount === undefined || path.startsWith(mount) ? path : mount + path;
}

/** Adds fields to this request's line in the access log: ids and names, never what was sent. */
export function noteForAccessLog(response: Response, fields: Record<string, string>): void {
  response.locals['accessLog'] = fields;
}

function notedFor(response: Response): object {
  const noted: unknown = response.locals['accessLog'];
  return typeof noted === 'object' && noted !== null ? noted : {};
}

/** Request id, log context, metrics and access log of every route but the hot one. */
export function observeRequests(
  deps: Pick<AppDeps, 'logger' | 'isStopping'>,
  meter: RequestMeter,
): RequestHandler {
  const accessLog = createAccessLog(deps);
  const headers = Object.entries(securityHeaders);
  return (request, response, next) => {
    const startedAt = performance.now();
    const requestId = assignRequestId(request, response);
    for (const [name, value] of headers) response.setHeader(name, value);
    if (deps.isStopping()) response.setHeader('connection', 'close');
    response.once('close', () => {
      const route = routeOf(request);
      meter(request.method, route, response.statusCode, startedAt);
      if (!accessLog.wants(response.statusCode, !response.writableFinished)) return;
      accessLog.write({
        request_id: requestId,
        method: request.method,
        route,
        status_code: response.statusCode,
        duration_ms: Math.round(performance.now() - startedAt),
        ...notedFor(response),
        ...(response.writableFinished ? {} : { is_aborted: true }),
      });
    });
    withLogContext({ request_id: requestId }, next);
  };
}
