import { createServer, IncomingMessage, ServerResponse, STATUS_CODES } from 'node:http';
import type { RequestListener, Server } from 'node:http';
import { Server as NetServer } from 'node:net';
import type { Socket } from 'node:net';
import { setImmediate as immediate, setTimeout as sleep } from 'node:timers/promises';
import { randomUUID } from 'node:crypto';
import { ServiceError } from '@billing/domain';
import type { ErrorCode } from '@billing/domain';
import { closeAfterAnswer, isBodyOnItsWay } from '@billing/platform';
import express from 'express';
import type { Express } from 'express';
import { allowOrigins } from './allow-origins.ts';
import { httpStatusOf, securityHeaders, sendProblem, toProblem } from './problem.ts';

/**
 * Creates requests and responses with the prototypes that Express would set. Express sets them again on each request;
 * where that changes nothing, V8 keeps its fast object shapes, which more than doubles the throughput.
 */
function inheritPrototypes(app: Express) {
  class AppRequest extends IncomingMessage {}
  class AppResponse<R extends IncomingMessage = IncomingMessage> extends ServerResponse<R> {}
  Object.setPrototypeOf(AppRequest.prototype, express.request);
  Object.setPrototypeOf(AppResponse.prototype, express.response);
  const property = { value: app, configurable: true, enumerable: true, writable: true };
  Object.defineProperty(AppRequest.prototype, 'app', property);
  Object.defineProperty(AppResponse.prototype, 'app', property);
  closeWhereBodyIsNotRead(AppResponse.prototype);
  Object.assign(app, { request: AppRequest.prototype, response: AppResponse.prototype });
  return { IncomingMessage: AppRequest, ServerResponse: AppResponse };
}

/** Of one process: beyond this connections are closed as they come. */
const maxConnections = 10_000;

/**
 * What is answered before its body is whole says `connection: close` and is closed: else a slow body would hold its
 * connection for as long as a request may take, and get a second answer then.
 */
function closeWhereBodyIsNotRead(prototype: ServerResponse): void {
  const original: unknown = Reflect.get(ServerResponse.prototype, 'writeHead');
  if (typeof original !== 'function') throw new Error('Node writes heads in another way');
  function writeHead(this: ServerResponse, ...head: unknown[]): unknown {
    if (isBodyOnItsWay(this.req)) closeAfterAnswer(this);
    return Reflect.apply(Object(original), this, head);
  }
  Object.defineProperty(prototype, 'writeHead', { value: writeHead, configurable: true, writable: true });
}

function refusalOf(error: Error): { code: ErrorCode; detail: string } {
  const cause = 'code' in error ? error.code : undefined;
  if (cause === 'HPE_HEADER_OVERFLOW')
    return {
      code: 'request_header_too_large',
      detail: 'Send shorter headers and a shorter URL.',
    };
  if (cause === 'ERR_HTTP_REQUEST_TIMEOUT')
    return { code: 'request_timeout', detail: 'Send the whole request without a pause.' };
  return { code: 'invalid_request', detail: 'Send a well-formed HTTP/1.1 request.' };
}

/** Invalid HTTP never reaches Express; it gets the same kind of answer. */
function refuseConnection(error: Error, socket: Socket): void {
  if (!socket.writable || ('code' in error && error.code === 'ECONNRESET')) {
    socket.destroy();
    return;
  }
  const { code, detail } = refusalOf(error);
  const status = httpStatusOf(code);
  const requestId = randomUUID();
  const body = JSON.stringify(toProblem(new ServiceError(code, detail), requestId));
  socket.end(
    [
      `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? 'Error'}`,
      'content-type: application/problem+json; charset=utf-8',
      `content-length: ${Buffer.byteLength(body)}`,
      `x-request-id: ${requestId}`,
      ...Object.entries(securityHeaders).map(([name, value]) => `${name}: ${value}`),
      'connection: close',
      '',
      body,
    ].join('\r\n'),
    () => socket.destroy(),
  );
}

/** Longer than the slowest answer, which waits 15 s for a worker. */
const stalledMs = 60_000;

function refuseExpectation(_request: IncomingMessage, response: ServerResponse): void {
  const requestId = randomUUID();
  response.setHeader('x-request-id', requestId);
  sendProblem(response, new ServiceError('invalid_request', 'Expect nothing but 100-continue.'), requestId);
}

/**
 * The HTTP server for an app, whose entitlements pages of `corsOrigins` may read; it does not listen yet. `listener`: what
 * stands before the app, and has requests and responses with Express's own properties.
 */
export function createApiServer(
  app: Express,
  corsOrigins: readonly string[] = [],
  listener: RequestListener = app,
): Server {
  const server = createServer(
    {
      ...inheritPrototypes(app),
      // Longer than the idle time of usual load balancers (60 s), or they meet resets.
      keepAliveTimeout: 72_000,
      headersTimeout: 20_000,
      requestTimeout: 30_000,
      // How often Node looks for requests that took too long: its default of 30 s would double both limits.
      connectionsCheckingInterval: 2_000,
      maxHeaderSize: 16 * 1024,
      noDelay: true,
    },
    allowOrigins(corsOrigins, listener),
  );
  // A client that does not read its answer keeps its socket no longer than this.
  server.setTimeout(stalledMs);
  server.maxConnections = maxConnections;
  server.on('clientError', refuseConnection);
  server.on('checkExpectation', refuseExpectation);
  return server;
}

/**
 * Stops a server without cutting an answer. For `announceMs` requests are still taken, and the app answers them with
 * `connection: close`, so that clients leave by themselves; then it stops listening. Connections without a request so
 * far get as long again: their first request may be on its way.
 */
export async function closeGracefully(server: Server, announceMs: number): Promise<void> {
  await sleep(announceMs);
  // After the event loop has accepted the backlog: connections that still wait in it are reset by the close.
  await immediate();
  // Not the `close` of http, which would end those connections at once.
  const closed = new Promise<void>((resolve) => NetServer.prototype.close.call(server, () => resolve()));
  await sleep(announceMs);
  const sweep = setInterval(() => server.closeIdleConnections(), 50);
  await closed.finally(() => clearInterval(sweep));
}
