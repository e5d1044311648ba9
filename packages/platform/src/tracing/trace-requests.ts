import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { context, propagation, ROOT_CONTEXT, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api';
import type { Span, Tracer } from '@opentelemetry/api';

/** Puts a span around each request: outside of the app, so that without tracing the app has no part of it. */
export function traceRequests(server: Server, tracer: Tracer): void {
  const listeners = server.listeners('request');
  server.removeAllListeners('request');
  server.on('request', (request, response) => {
    const caller = propagation.extract(ROOT_CONTEXT, request.headers);
    const method = request.method ?? 'GET';
    const attributes = { 'http.request.method': method };
    const span = tracer.startSpan(method, { kind: SpanKind.SERVER, attributes }, caller);
    response.once('close', () => finish(span, request, response));
    context.with(trace.setSpan(caller, span), () => {
      for (const listener of listeners) Reflect.apply(listener, server, [request, response]);
    });
  });
}

/** Names the span after the route's pattern: an address can hold ids of users, and anything else. */
function finish(span: Span, request: IncomingMessage, response: ServerResponse): void {
  const route: unknown = Reflect.get(request, 'route');
  const path = typeof route === 'object' && route !== null ? Reflect.get(route, 'path') : undefined;
  if (typeof path === 'string') {
    span.updateName(`${request.method ?? 'GET'} ${path}`);
    span.setAttribute('http.route', path);
  }
  span.setAttribute('http.response.status_code', response.statusCode);
  const requestId = response.getHeader('x-request-id');
  if (typeof requestId === 'string') span.setAttribute('billing.request_id', requestId);
  if (response.statusCode >= 500) span.setStatus({ code: SpanStatusCode.ERROR });
  span.end();
}
