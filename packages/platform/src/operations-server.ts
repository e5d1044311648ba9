import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { errorCatalog, ServiceError } from '@billing/domain';
import type { AuthFailures } from './auth/auth-failures.ts';
import { refuseMetrics } from './auth/refuse-metrics.ts';
import { closeAfterAnswer, isBodyOnItsWay } from './close-after-answer.ts';
import type { Metrics } from './metrics.ts';
import type { ReadinessAnswer } from './readiness.ts';
import { assignRequestId, requestIdOf } from './request-id.ts';
import { renderMetrics } from './open-metrics.ts';
import { createRequestMeter, unmatchedRoute } from './request-meter.ts';
import type { MeteredRoute } from './request-meter.ts';

export type OperationsServerOptions = {
  /** 0 asks for a free port. */
  readonly port: number;
  /** Default: all interfaces. */
  readonly host?: string;
  /** What `/ready` answers. Must have its own deadlines. */
  readonly ready: () => Promise<ReadinessAnswer>;
  readonly metrics: Pick<Metrics, 'registry' | 'exemplars' | 'httpRequests' | 'httpRequestDuration'>;
  /** Of the area `metrics`. */
  readonly authFailures: Pick<AuthFailures, 'missing' | 'wrong'>;
  /** Called before each scrape, for gauges that are read on demand; its failure does not fail the scrape. */
  readonly beforeScrape?: () => Promise<void>;
  /** If set, `/metrics` needs it as a bearer token. */
  readonly metricsToken?: string | undefined;
};

export type OperationsServer = {
  readonly port: number;
  readonly close: () => Promise<void>;
};

const methods = ['GET', 'HEAD'];

const meteredRoutes = ({ metricsToken }: OperationsServerOptions): MeteredRoute[] => [
  { route: '/healthz', methods, openStatuses: [200] },
  { route: '/live', methods, openStatuses: [200] },
  { route: '/ready', methods, openStatuses: [200, 503] },
  { route: '/metrics', methods, openStatuses: metricsToken === undefined ? [200] : [200, 401, 429] },
];

type Answer = (request: IncomingMessage, response: ServerResponse) => void | Promise<void>;

/** Serves `/healthz`, `/live`, `/ready` and `/metrics` for a process without an API; resolves when it listens. */
export async function createOperationsServer(options: OperationsServerOptions): Promise<OperationsServer> {
  const routes = new Map<string, Answer>([
    ['/healthz', (_request, response) => sendJson(response, 200, { status: 'healthy' })],
    ['/live', (_request, response) => sendJson(response, 200, { status: 'alive' })],
    ['/ready', (_request, response) => answerReady(options, response)],
    ['/metrics', (request, response) => answerMetrics(options, { request, response })],
  ]);
  const meter = createRequestMeter(options.metrics, meteredRoutes(options));
  const server = createServer((request, response) => {
    const startedAt = performance.now();
    // Nothing here reads a body.
    if (isBodyOnItsWay(request)) closeAfterAnswer(response);
    assignRequestId(request, response);
    const path = (request.url ?? '').split('?', 1)[0] ?? '';
    const answer = routes.get(path);
    const route = answer === undefined ? unmatchedRoute : path;
    const { method = '' } = request;
    response.once('close', () => meter({ method, route, statusCode: response.statusCode, startedAt }));
    if (answer === undefined)
      return sendProblem(
        response,
        404,
        new ServiceError('route_not_found', 'The routes are /healthz, /live, /ready and /metrics.'),
      );
    if (!methods.includes(method)) {
      response.setHeader('allow', methods.join(', '));
      return sendProblem(response, 405, new ServiceError('method_not_allowed', 'Use GET.'));
    }
    Promise.resolve(answer(request, response)).catch(() =>
      sendProblem(response, 500, new ServiceError('internal_error', 'Try again; the log says more.')),
    );
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port, options.host, resolve);
  });
  const address = server.address();
  return {
    port: typeof address === 'object' && address !== null ? address.port : options.port,
    close: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeIdleConnections();
      }),
  };
}

async function answerReady({ ready }: OperationsServerOptions, response: ServerResponse): Promise<void> {
  const { status, body } = await ready();
  sendJson(response, status, body);
}

async function answerMetrics(
  { metrics, metricsToken, authFailures, beforeScrape }: OperationsServerOptions,
  { request, response }: { request: IncomingMessage; response: ServerResponse },
): Promise<void> {
  const { authorization } = request.headers;
  const caller = { ip: request.socket.remoteAddress, method: request.method ?? '' };
  const refusal = refuseMetrics(metricsToken, authFailures, { authorization, request: caller, response });
  if (refusal !== null) return sendRefusal(response, refusal);
  await beforeScrape?.().catch(() => undefined);
  const { accept } = request.headers;
  const { contentType, text } = renderMetrics(metrics, { accept, text: await metrics.registry.metrics() });
  response.writeHead(200, { 'content-type': contentType });
  response.end(text);
}

function sendRefusal(response: ServerResponse, refusal: ServiceError): void {
  const { retryAfterSeconds } = refusal;
  if (retryAfterSeconds === undefined) response.setHeader('www-authenticate', 'Bearer');
  else response.setHeader('retry-after', retryAfterSeconds);
  sendProblem(response, retryAfterSeconds === undefined ? 401 : 429, refusal);
}

function sendJson(response: ServerResponse, status: number, body: object): void {
  const kind = status >= 400 && 'code' in body ? 'problem+json' : 'json';
  response.writeHead(status, {
    'content-type': `application/${kind}; charset=utf-8`,
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
  });
  response.end(JSON.stringify(body));
}

/** In the same shape as the API's (RFC 9457). */
function sendProblem(response: ServerResponse, status: number, { code, message }: ServiceError): void {
  if (response.headersSent) return void response.destroy();
  const [type, title] = [`urn:billing:problem:${code}`, errorCatalog[code]];
  sendJson(response, status, {
    type,
    title,
    status,
    detail: message,
    code,
    request_id: requestIdOf(response),
  });
}
