import { randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { errorCatalog, ServiceError } from '@billing/domain';
import { refuseMetrics } from './metrics-token.ts';
import type { Metrics } from './metrics.ts';

/** One word for each dependency: `ok`, or what is wrong. */
export type ReadinessChecks = Record<string, string>;

export interface OperationsServerOptions {
  /** 0 asks for a free port. */
  readonly port: number;
  /** Default: all interfaces. */
  readonly host?: string;
  /** Ready means that all are `ok`. Has its own deadlines. */
  readonly ready: () => Promise<ReadinessChecks>;
  readonly metrics: Pick<Metrics, 'registry' | 'httpRequests' | 'httpRequestDuration'>;
  /** Called before each scrape, for gauges that are read on demand; its failure does not fail the scrape. */
  readonly beforeScrape?: () => Promise<void>;
  /** If set, `/metrics` wants it as a bearer token. */
  readonly metricsToken?: string | undefined;
}

export interface OperationsServer {
  readonly port: number;
  close(): Promise<void>;
}

type Answer = (request: IncomingMessage, response: ServerResponse) => void | Promise<void>;

/** Serves `/healthz`, `/live`, `/ready` and `/metrics` for a process that has no API of its own; resolves when it listens. */
export async function createOperationsServer(options: OperationsServerOptions): Promise<OperationsServer> {
  const routes = new Map<string, Answer>([
    ['/healthz', (_request, response) => sendJson(response, 200, { status: 'healthy' })],
    ['/live', (_request, response) => sendJson(response, 200, { status: 'alive' })],
    ['/ready', (_request, response) => answerReady(options, response)],
    ['/metrics', (request, response) => answerMetrics(options, { request, response })],
  ]);
  const server = createServer((request, response) => {
    response.setHeader('x-request-id', requestIdOf(request));
    const path = (request.url ?? '').split('?', 1)[0] ?? '';
    const answer = routes.get(path);
    meter(options.metrics, { request, response, route: answer === undefined ? 'unmatched' : path });
    if (answer === undefined) return sendProblem(response, 404, routeNotFound());
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      response.setHeader('allow', 'GET, HEAD');
      return sendProblem(response, 405, methodNotAllowed());
    }
    Promise.resolve(answer(request, response)).catch(() => sendProblem(response, 500, internalError()));
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(
      { port: options.port, ...(options.host === undefined ? {} : { host: options.host }) },
      resolve,
    );
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

interface Metered {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly route: string;
}

/** As the API does; only the methods that are answered are label values. */
function meter(
  { httpRequests, httpRequestDuration }: OperationsServerOptions['metrics'],
  metered: Metered,
): void {
  const { request, response, route } = metered;
  const startedAt = performance.now();
  const method = request.method === 'GET' || request.method === 'HEAD' ? request.method : 'OTHER';
  response.once('close', () => {
    const labels = { method, route, status_code: String(response.statusCode) };
    httpRequests.inc(labels);
    httpRequestDuration.observe(labels, (performance.now() - startedAt) / 1000);
  });
}

async function answerReady({ ready }: OperationsServerOptions, response: ServerResponse): Promise<void> {
  const checks = await ready();
  const isReady = Object.values(checks).every((check) => check === 'ok');
  sendJson(response, isReady ? 200 : 503, { status: isReady ? 'ready' : 'not ready', checks });
}

async function answerMetrics(
  { metrics, metricsToken, beforeScrape }: OperationsServerOptions,
  { request, response }: { request: IncomingMessage; response: ServerResponse },
): Promise<void> {
  const refusal = refuseMetrics(metricsToken, request.headers.authorization);
  if (refusal !== null) {
    response.setHeader('www-authenticate', 'Bearer');
    return sendProblem(response, 401, refusal);
  }
  await beforeScrape?.().catch(() => undefined);
  response.writeHead(200, { 'content-type': metrics.registry.contentType });
  response.end(await metrics.registry.metrics());
}

/** The caller's request id if it is sane, else a new one. */
function requestIdOf(request: IncomingMessage): string {
  const given = request.headers['x-request-id'];
  return typeof given === 'string' && /^[\w.:-]{1,128}$/.test(given) ? given : randomUUID();
}

function sendJson(
  response: ServerResponse,
  status: number,
  body: unknown,
  contentType = 'application/json',
): void {
  const text = JSON.stringify(body);
  response.writeHead(status, {
    'content-type': `${contentType}; charset=utf-8`,
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
  });
  response.end(text);
}

const routeNotFound = (): ServiceError =>
  new ServiceError('route_not_found', 'Here are /healthz, /live, /ready and /metrics.');
const methodNotAllowed = (): ServiceError => new ServiceError('method_not_allowed', 'Use GET.');
const internalError = (): ServiceError => new ServiceError('internal_error', 'Try again; the log says more.');

/** In the shape of the API's own (RFC 9457). */
function sendProblem(response: ServerResponse, status: number, { code, message }: ServiceError): void {
  if (response.headersSent) return void response.destroy();
  const problem = {
    type: `urn:billing:problem:${code}`,
    title: errorCatalog[code],
    status,
    detail: message,
    code,
    request_id: response.getHeader('x-request-id'),
  };
  sendJson(response, status, problem, 'application/problem+json');
}
